import type { Reference } from '@coppice/continuity';
import { describe, expect, it } from 'vitest';
import { atRelease } from './at-release.ts';

const spread = (shares: number[], participants = 9) => ({
  shares,
  variances: shares.map(() => 0),
  within: 0,
  participants,
});
const rate = { share: 0, variance: 0, within: 0, participants: 9 };
const moment = { mean: 3.1, deviation: 0.4, participants: 9 };
const reference: Reference = {
  version: 1,
  recipe: 'ab'.repeat(32),
  columns: [
    {
      kind: 'number',
      name: 'height',
      edges: [3],
      range: null,
      span: [0, 6],
      spread: spread([0.5, 0.5]),
      missing: rate,
      outside: rate,
      moment,
    },
    { kind: 'category', name: 'colour', values: 1, spread: spread([0.9, 0.1]), missing: rate, outside: rate },
  ],
  prediction: { kind: 'class', classes: 2, spread: spread([0.7, 0.3]) },
  confidence: { edges: [0.5], spread: spread([0.1, 0.9]) },
  labels: { spread: spread([0.6, 0.4], 8) },
  participants: 9,
  examples: 900,
};

describe('what is known of a distribution at the release', () => {
  it('are the moments of a numeric column, and the labels beside the predictions', () => {
    expect(atRelease({ role: 'input', name: 'height' }, reference)).toEqual({ moment, labels: null });
    expect(atRelease({ role: 'prediction', name: '' }, reference)).toEqual({
      moment: null,
      labels: { shares: [0.6, 0.4], moment: null },
    });
  });

  it('is nothing of categories, of confidences, of an earlier reference, and of labels that nobody had', () => {
    const nothing = { moment: null, labels: null };
    expect(atRelease({ role: 'input', name: 'colour' }, reference)).toEqual(nothing);
    expect(atRelease({ role: 'confidence', name: '' }, reference)).toEqual(nothing);
    expect(atRelease({ role: 'prediction', name: '' }, null)).toEqual(nothing);
    const { labels: _labels, ...before } = reference;
    expect(atRelease({ role: 'prediction', name: '' }, before)).toEqual(nothing);
    const unlabelled = { ...reference, labels: { spread: spread([0, 0], 0) } };
    expect(atRelease({ role: 'prediction', name: '' }, unlabelled)).toEqual(nothing);
  });
});
