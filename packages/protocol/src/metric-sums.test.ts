import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import fixture from './fixtures/metrics.json' with { type: 'json' };
import {
  addClassified,
  addMetricSums,
  emptyMetricSums,
  type MetricForm,
  type MetricSums,
  metricValues,
  SCORE_BINS,
} from './metric-sums.ts';
import type { MetricName } from './task.ts';

/*
 * The measures of scikit-learn, written by fixtures/metrics.py, are the oracle. Scores at the middle of bins have the areas
 * of their bins; others differ by the bound that `metricValues` states.
 */
const areas = ['auroc', 'prAuc'] as const;
const decided = ['precision', 'recall', 'f1'] as const;
const binary = (threshold: number): MetricForm => ({
  classes: 2,
  scales: [],
  metrics: [...areas, ...decided],
  threshold,
});

interface Classified {
  readonly label: number;
  readonly probabilities: readonly number[];
}

function classified(form: MetricForm, examples: readonly Classified[]) {
  const sums = emptyMetricSums(form);
  const counts = {
    examples: new Array<number>(form.classes ?? 0).fill(0),
    hits: new Array<number>(form.classes ?? 0).fill(0),
  };
  for (const { label, probabilities } of examples) {
    const best = probabilities.indexOf(Math.max(...probabilities));
    addClassified(sums, form, probabilities, label, best);
    counts.examples[label] = (counts.examples[label] as number) + 1;
    if (best === label) counts.hits[label] = (counts.hits[label] as number) + 1;
  }
  return { sums, counts };
}

const twoOf = (labels: readonly number[], scores: readonly number[]) =>
  scores.map((score, i): Classified => ({ label: labels[i] as number, probabilities: [1 - score, score] }));

interface Numbers {
  readonly scales: readonly number[];
  readonly means: readonly number[];
  readonly targets: readonly (readonly number[])[];
  readonly predictions: readonly (readonly number[])[];
}

function numbersOf({ scales, means, targets, predictions }: Numbers) {
  const form: MetricForm = { classes: null, scales, metrics: ['mae', 'rmse', 'r2'], threshold: 0.5 };
  const sums = emptyMetricSums(form);
  const scaled = (value: number, i: number) => (value - (means[i] as number)) / (scales[i] as number);
  for (const [row, values] of targets.entries()) {
    for (const [i, value] of values.entries()) {
      const [target, error] = [
        scaled(value, i),
        scaled(predictions[row]?.[i] as number, i) - scaled(value, i),
      ];
      const add = (name: string, more: number) => {
        const of = sums[name] as Float64Array;
        of[i] = (of[i] as number) + more;
      };
      add('absolute', Math.abs(error));
      add('squared', error ** 2);
      add('targets', target);
      add('target-squares', target ** 2);
    }
  }
  (sums['error-examples'] as Float64Array)[0] = targets.length;
  return { form, sums };
}

describe('the measures of sums', () => {
  for (const [i, one] of fixture.cases.entries()) {
    if (one.kind === 'binary' && one.labels && one.scores && one.threshold !== undefined) {
      const { labels, scores, threshold, binned, expected } = one;
      it(`are those of scikit-learn for two classes (case ${i})`, () => {
        const form = binary(threshold);
        const { sums, counts } = classified(form, twoOf(labels, scores));
        const { values = {} } = metricValues(form, sums, counts);
        for (const name of decided) expect(values[name]).toBeCloseTo(expected[name] as number, 12);
        for (const name of areas) {
          if (binned) expect(values[name]).toBeCloseTo(expected[name] as number, 12);
          else expect(Math.abs((values[name] as number) - (expected[name] as number))).toBeLessThan(0.01);
        }
      });
    }
    if (one.kind === 'several' && one.labels && one.rows) {
      const { labels, rows, expected, recalls } = one;
      it(`are those of scikit-learn for several classes (case ${i})`, () => {
        const form: MetricForm = { ...binary(0.5), classes: rows[0]?.length ?? 0 };
        const examples = rows.map((probabilities, row) => ({ label: labels[row] as number, probabilities }));
        const { sums, counts } = classified(form, examples);
        const { values = {}, classes = [] } = metricValues(form, sums, counts);
        for (const name of [...areas, ...decided])
          expect(values[name]).toBeCloseTo(expected[name] as number, 12);
        for (const [place, recall] of (recalls ?? []).entries())
          expect(classes[place]?.recall).toBeCloseTo(recall, 12);
      });
    }
    if (one.kind === 'numbers') {
      const { expected, r2s } = one;
      it(`are those of scikit-learn for numbers, in their own units (case ${i})`, () => {
        const { form, sums } = numbersOf(one as Numbers);
        const { values = {}, outputs } = metricValues(form, sums, null);
        for (const name of ['mae', 'rmse', 'r2'] as const) {
          const wanted = expected[name] as number;
          expect(Math.abs((values[name] as number) - wanted)).toBeLessThan(1e-9 * Math.max(1, wanted));
        }
        const parts = outputs ?? [values];
        for (const [place, r2] of (r2s ?? []).entries()) expect(parts[place]?.r2).toBeCloseTo(r2, 9);
      });
    }
  }

  const examples = fc.array(
    fc.record({ label: fc.integer({ min: 0, max: 1 }), score: fc.double({ min: 0, max: 1, noNaN: true }) }),
    { minLength: 1, maxLength: 60 },
  );

  it('differ in their area from that of the scores themselves by no more than is said', () => {
    fc.assert(
      fc.property(examples, (drawn) => {
        const form = binary(0.5);
        const all = twoOf(
          drawn.map(({ label }) => label),
          drawn.map(({ score }) => score),
        );
        const { sums, counts } = classified(form, all);
        const area = metricValues(form, sums, counts).values?.auroc ?? null;
        const of = (wanted: number) => drawn.flatMap(({ label, score }) => (label === wanted ? [score] : []));
        const [negatives, positives] = [of(0), of(1)];
        if (negatives.length === 0 || positives.length === 0) {
          expect(area).toBeNull();
          return;
        }
        const pairs = negatives.length * positives.length;
        const exact =
          positives
            .flatMap((p) => negatives.map((n): number => (p > n ? 1 : p === n ? 0.5 : 0)))
            .reduce((a, b) => a + b, 0) / pairs;
        const scores = sums['scores'] as Float64Array;
        const shared = Array.from(
          { length: SCORE_BINS },
          (_, bin) => (scores[bin] as number) * (scores[SCORE_BINS + bin] as number),
        ).reduce((a, b) => a + b, 0);
        expect(Math.abs((area as number) - exact)).toBeLessThanOrEqual(shared / (2 * pairs) + 1e-12);
      }),
    );
  });

  it('are the same for sums of parts', () => {
    fc.assert(
      fc.property(examples, fc.nat(60), (drawn, cut) => {
        const form = binary(0.4);
        const all = twoOf(
          drawn.map(({ label }) => label),
          drawn.map(({ score }) => score),
        );
        const whole = classified(form, all).sums;
        const [first, second] = [
          classified(form, all.slice(0, cut)).sums,
          classified(form, all.slice(cut)).sums,
        ];
        addMetricSums(first as MetricSums, second);
        expect(first).toEqual(whole);
      }),
    );
  });

  it('are null where the examples give none, and a class that is never predicted has no precision but 0', () => {
    const form = binary(0.5);
    const { sums, counts } = classified(form, twoOf([1, 1, 1], [0.1, 0.2, 0.9]));
    const { values, classes } = metricValues(form, sums, counts);
    expect(values).toEqual({ auroc: null, prAuc: 1, precision: 1, recall: 1 / 3, f1: 0.5 });
    expect(classes?.[0]).toMatchObject({ recall: null, precision: 0, f1: 0, examples: 0 });
    const none = classified(form, twoOf([0, 1], [0.1, 0.2]));
    expect(metricValues(form, none.sums, none.counts).values).toMatchObject({
      precision: 0,
      recall: 0,
      f1: 0,
    });
    const same = numbersOf({ scales: [2], means: [0], targets: [[3], [3]], predictions: [[3], [4]] });
    const { values: ofSame } = metricValues(same.form, same.sums, null);
    expect(ofSame).toMatchObject({ mae: 0.5, r2: null });
  });

  it('are only those that a task asks for', () => {
    const metrics: MetricName[] = ['f1'];
    const form = { ...binary(0.5), metrics };
    const { sums, counts } = classified(form, twoOf([0, 1], [0.1, 0.9]));
    expect(Object.keys(sums)).toEqual(['predicted', 'found']);
    expect(metricValues(form, sums, counts).values).toEqual({ f1: 1 });
    expect(metricValues({ ...form, metrics: [] }, {}, counts)).toEqual({});
  });
});
