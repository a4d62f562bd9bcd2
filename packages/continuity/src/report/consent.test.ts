import { describe, expect, it } from 'vitest';
import type { Binning } from '../reference/binning.ts';
import { identityOf, referenceOf } from '../reference/reference.ts';
import { consentVersion, type ReportTerms } from './consent.ts';
import { binningOf, drawSums } from './population.testing.ts';

const binning = binningOf(3);
const terms: ReportTerms = { binning, periodMilliseconds: 86_400_000, minimum: 10 };
const withBinning = (more: Partial<Binning>): ReportTerms => ({ ...terms, binning: { ...binning, ...more } });
const [first, ...others] = binning.columns;
if (first?.kind !== 'number') throw new Error('the first column is numeric');

describe('the version of a consent', () => {
  it('is kept by a reference, by other bins and by another recipe: they tell nothing more of a person', () => {
    const drawn = drawSums(
      binning,
      { participants: 20, examples: 50, differences: { kind: 'none' } },
      'consent',
    );
    const reference = referenceOf(binning, drawn);
    expect(identityOf(reference)).not.toBe(identityOf(binning));
    const version = consentVersion(terms);
    expect(version).toMatch(/^[0-9a-f]{64}$/);
    for (const same of [
      { ...terms, binning: reference },
      withBinning({ columns: [{ ...first, edges: [0, 1] }, ...others] }),
      withBinning({ columns: [{ ...first, range: null }, ...others] }),
      withBinning({ recipe: 'cd'.repeat(32) }),
    ])
      expect(consentVersion(same)).toBe(version);
  });

  it('changes with everything that a report tells, and how often', () => {
    const different: ReportTerms[] = [
      terms,
      { ...terms, periodMilliseconds: 3_600_000 },
      { ...terms, minimum: 9 },
      withBinning({ columns: [{ ...first, name: 'income' }, ...others] }),
      withBinning({ columns: others }),
      withBinning({ columns: [{ kind: 'category', name: first.name, values: 2 }, ...others] }),
      withBinning({ columns: [{ kind: 'category', name: first.name, values: 3 }, ...others] }),
      withBinning({ prediction: { kind: 'class', classes: 3 } }),
      withBinning({ prediction: { kind: 'number', edges: [0], errorScale: 1 } }),
      withBinning({ confidence: { edges: [0.5] } }),
    ];
    expect(new Set(different.map(consentVersion)).size).toBe(different.length);
  });
});
