import { seededRandom } from '@coppice/ports';
import { describe, expect, it } from 'vitest';
import { watchedOf } from '../reference/binning.ts';
import { identityOf } from '../reference/reference.ts';
import { reportLayout, tensorsOf } from '../report/layout.ts';
import { binningOf, drawReports, type Population, sumOf } from '../report/population.testing.ts';
import { refuses } from '../report/refuses.ts';
import { alike, referenceFor, verdictOf } from './judged.testing.ts';

describe('one liar among many', () => {
  const binning = binningOf(2);
  const identity = identityOf(binning);
  const layout = reportLayout(binning, identity);

  /** The report within all bounds that puts all its mass into one bin of each histogram. */
  function lieOf(bin: number): Float32Array {
    const lie = new Float32Array(layout.reduce((sum, { shape }) => sum + (shape[0] ?? 1), 0));
    const tensors = tensorsOf(layout, lie);
    const set = (name: string, at: number, value: number) => {
      (tensors.get(name) as Float32Array)[at] = value;
    };
    for (const name of ['reports', 'observations', 'labelled', 'errors', 'errors-square', 'warned'])
      set(name, 0, 1);
    set('missing-inverse', 0, 2 ** -20);
    for (const [i, { bins, at }] of watchedOf(binning).entries()) {
      set('present', i, 1);
      set('inverse', i, 2 ** -20);
      set('shares', at + Math.min(bin, bins - 1), 1);
      set('squares', at + Math.min(bin, bins - 1), 1);
    }
    for (const name of ['missing', 'missing-squares', 'outside', 'outside-squares'])
      for (let i = 0; i < binning.columns.length; i++) set(name, i, 1);
    return lie;
  }

  // Of ten participants one has enough of the mass to make a shift of the others uncertain.
  it.each<[number, 'hides none' | 'may hide one']>([
    [10, 'may hide one'],
    [30, 'hides none'],
    [100, 'hides none'],
  ])('of %i participants raises no alarm, and %s, whatever it says', (participants, hides) => {
    const quiet = { participants, examples: 100, differences: alike };
    const reference = referenceFor(binning, { ...quiet, participants: 100 }, 'liar');
    const moved = { ...quiet, shift: 1 };
    for (let bin = 0; bin < 10; bin++) {
      const lie = lieOf(bin);
      expect(refuses({ recipe: binning.recipe, identity, numbers: lie }, binning, identity)).toBeNull();
      const withLie = (population: Population) => {
        const others = drawReports(binning, identity, population, seededRandom('liar', bin)).slice(1);
        return verdictOf(sumOf('report', binning, identity, [...others, lie]), reference);
      };
      const calm = withLie(quiet);
      expect(calm.drift.alarm).toBe(false);
      expect(calm.quality.alarm).toBe(false);
      if (hides === 'hides none') expect(withLie(moved).drift.alarm).toBe(true);
    }
  });

  it('moves no share by more than 1 / n, and no effect by more than the mass allows', () => {
    const participants = 50;
    const quiet = { participants, examples: 100, differences: alike };
    const reference = referenceFor(binning, quiet, 'bound');
    const honest = drawReports(binning, identity, quiet, seededRandom('bound'));
    const before = verdictOf(sumOf('report', binning, identity, honest), reference);
    for (let bin = 0; bin < 10; bin++) {
      const after = verdictOf(
        sumOf('report', binning, identity, [...honest.slice(1), lieOf(bin)]),
        reference,
      );
      for (const name of ['x0', 'x1']) {
        const [was, is] = [before, after].map(({ drift }) => drift.results.find((one) => one.name === name));
        for (const [i, share] of (is?.current ?? []).entries())
          expect(Math.abs(share - (was?.current[i] as number))).toBeLessThanOrEqual(1 / participants + 1e-9);
        // A mass of 1/n into a bin of 0.1: (1/n) ln(1 + 1/(0.1 n)) and what it takes from the others, and 2/n of variance.
        expect(Math.abs((is?.effect ?? 1) - (was?.effect ?? 0))).toBeLessThan(3 / participants);
      }
    }
  });
});
