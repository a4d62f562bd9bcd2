import {
  addClassified,
  emptyMetricSums,
  MAX_EXAMPLES,
  type MetricForm,
  type MetricName,
  SCORE_BINS,
} from '@coppice/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MeasureSum } from '../sums/measure-sum.ts';
import { decodeMeasures, encodeMeasures } from './measures.ts';
import {
  checkTally,
  countedLoss,
  countedSums,
  emptyTally,
  evaluationMeasures,
  MAX_MEAN_LOSS,
  type MeasureForm,
  metricsOf,
  type Tally,
  tallyMeasures,
  tallyOf,
  trainMeasures,
} from './train-measures.ts';

const forms = fc.record({
  classes: fc.option(fc.integer({ min: 1, max: 12 })),
  heldOut: fc.boolean(),
  maxExamples: fc.integer({ min: 1, max: MAX_EXAMPLES }),
});

/** A form, and the tally of examples that a device really has: each of a class, hit or not, with a loss of its own. */
const honest = forms.chain((form) =>
  fc
    .array(
      fc.record({
        label: fc.nat((form.classes ?? 1) - 1),
        hit: fc.boolean(),
        loss: fc.oneof(
          fc.double({ min: 0, max: 20, noNaN: true }),
          fc.constantFrom(0, MAX_MEAN_LOSS[form.classes === null ? 'number' : 'classes']),
        ),
      }),
      { maxLength: Math.min(30, form.maxExamples) },
    )
    .map((examples): { form: MeasureForm; tally: Tally } => {
      const count = (some: (example: (typeof examples)[number], label: number) => boolean) =>
        Array.from(
          { length: form.classes ?? 0 },
          (_, label) => examples.filter((one) => some(one, label)).length,
        );
      const classes = {
        examples: count((one, label) => one.label === label),
        hits: count((one, label) => one.label === label && one.hit),
      };
      const loss = examples.reduce((sum, one) => sum + one.loss, 0);
      return {
        form,
        tally: {
          examples: examples.length,
          ...countedLoss(loss, examples.length, form),
          hits: form.classes === null ? null : examples.filter(({ hit }) => hit).length,
          classes: form.classes === null ? null : classes,
        },
      };
    }),
);

const refused = expect.objectContaining({ code: 'update-measure' });

/** A task of two classes with all measures, of five, and of two numbers. */
const measured = [
  { classes: 2, scales: [], metrics: ['auroc', 'prAuc', 'precision', 'recall', 'f1'], threshold: 0.3 },
  { classes: 5, scales: [], metrics: ['auroc', 'f1'], threshold: 0.5 },
  { classes: null, scales: [3, 0.1], metrics: ['mae', 'rmse', 'r2'], threshold: 0.5 },
] as const satisfies readonly MetricForm[];

/** The tally of examples with probabilities or errors, with the sums of what a task measures. */
const withSums = fc.constantFrom(...measured).chain((metrics: MetricForm) => {
  const form: MeasureForm = { classes: metrics.classes, heldOut: true, maxExamples: 1000, metrics };
  const number = fc.integer({ min: -800, max: 800 }).map((n) => n / 16);
  const numbers = fc.array(number, { minLength: 5, maxLength: 5 });
  return fc
    .array(fc.record({ numbers, label: fc.nat((metrics.classes ?? 1) - 1) }), { minLength: 3, maxLength: 25 })
    .map((examples): { form: MeasureForm; tally: Tally } => {
      const sums = emptyMetricSums(metrics);
      const none = new Array<number>(metrics.classes ?? 0).fill(0);
      const classes = { examples: [...none], hits: [...none] };
      for (const { numbers: drawn, label } of examples) {
        if (metrics.classes === null) {
          for (const i of metrics.scales.keys()) {
            const [error, target] = [drawn[i] as number, drawn[i + 2] as number];
            for (const [name, more] of [
              ['absolute', Math.abs(error)],
              ['squared', error ** 2],
              ['targets', target],
              ['target-squares', target ** 2],
            ] as const)
              (sums[name] as Float64Array)[i] = (sums[name]?.[i] ?? 0) + more;
          }
          continue;
        }
        const powers = drawn.slice(0, metrics.classes).map((z) => Math.exp(z / 20));
        const all = powers.reduce((a, b) => a + b);
        const probabilities = powers.map((power) => power / all);
        const best = probabilities.indexOf(Math.max(...probabilities));
        addClassified(sums, metrics, probabilities, label, best);
        classes.examples[label] = (classes.examples[label] as number) + 1;
        if (best === label) classes.hits[label] = (classes.hits[label] as number) + 1;
      }
      if (metrics.classes === null) (sums['error-examples'] as Float64Array)[0] = examples.length;
      const hits = classes.hits.reduce((a, b) => a + b, 0);
      const isClass = metrics.classes !== null;
      return {
        form,
        tally: {
          examples: examples.length,
          loss: 1,
          lossExamples: examples.length,
          hits: isClass ? hits : null,
          classes: isClass ? classes : null,
          sums,
        },
      };
    });
});

describe('the sums of a task’s own measures', () => {
  it('of real examples pass, before they travel and after, and give the same measures', () => {
    fc.assert(
      fc.property(withSums, ({ form, tally }) => {
        checkTally(tally, form);
        const tensors = evaluationMeasures(form);
        const came = decodeMeasures(tensors, encodeMeasures(tensors, tallyMeasures('held', tally)));
        const back = tallyOf('held', came, form.metrics) as Tally;
        checkTally(back, form);
        const [before, after] = [metricsOf(tally, form.metrics), metricsOf(back, form.metrics)];
        for (const [name, value] of Object.entries(before?.values ?? {})) {
          const arrived = after?.values?.[name as MetricName];
          if (value == null) expect(arrived).toBe(value);
          else
            expect(Math.abs((arrived as number) - value)).toBeLessThan(1e-6 * Math.max(1, Math.abs(value)));
        }
      }),
    );
  });

  it('add up over participants in the sum, whose measures are those of all examples', () => {
    fc.assert(
      fc.property(withSums, ({ form, tally }) => {
        const sum = new MeasureSum(evaluationMeasures(form));
        sum.add(tallyMeasures('held', tally));
        sum.add(tallyMeasures('held', tally));
        const both = tallyOf('held', sum.totals(), form.metrics);
        for (const [name, values] of Object.entries(tally.sums ?? {}))
          for (const [i, value] of values.entries())
            expect(Math.abs((both?.sums?.[name]?.[i] as number) - 2 * value)).toBeLessThan(1e-3);
      }),
      { numRuns: 40 },
    );
  });

  const changed = (tally: Tally, name: string, change: (values: Float64Array) => void): Tally | null => {
    const values = tally.sums?.[name]?.slice();
    if (values === undefined) return null;
    change(values);
    return { ...tally, sums: { ...tally.sums, [name]: values } };
  };
  const add =
    (more: number, at = 0) =>
    (values: Float64Array) => {
      values[at] = (values[at] as number) + more;
    };
  const liesOfSums: Readonly<Record<string, (tally: Tally) => Tally | null>> = {
    'a score too many': (tally) => changed(tally, 'scores', add(1)),
    'a part of a score': (tally) => changed(tally, 'scores', add(0.5)),
    'a score of the other class': (tally) =>
      changed(tally, 'scores', (values) => {
        const from = values.findIndex((n) => n > 0);
        add(-1, from)(values);
        add(1, from < SCORE_BINS ? from + SCORE_BINS : from - SCORE_BINS)(values);
      }),
    'one more predicted': (tally) => changed(tally, 'predicted', add(1)),
    'a prediction moved below what was found': (tally) =>
      changed(tally, 'predicted', (values) => {
        values[0] = -1;
      }),
    'more found than there are': (tally) => changed(tally, 'found', add(tally.examples + 1)),
    'errors of some of the examples': (tally) => changed(tally, 'error-examples', add(-1)),
    'errors of no examples that are none': (tally) =>
      changed(tally, 'error-examples', (values) => values.fill(0)),
    'a negative error': (tally) => changed(tally, 'absolute', (values) => values.fill(-1)),
    'errors larger than their squares allow': (tally) => changed(tally, 'absolute', add(1e4)),
    'targets larger than their squares allow': (tally) => changed(tally, 'targets', add(1e4)),
    'negative squares': (tally) => changed(tally, 'target-squares', (values) => values.fill(-1)),
  };

  it.each(Object.entries(liesOfSums))('with %s are refused', (_, lie) => {
    let told = 0;
    fc.assert(
      fc.property(withSums, ({ form, tally }) => {
        const lied = lie(tally);
        if (lied === null) return;
        told++;
        expect(() => checkTally(lied, form)).toThrow(refused);
      }),
      { numRuns: 100 },
    );
    expect(told).toBeGreaterThan(5);
  });

  it('of numbers that cannot be counted are left out with their examples, and give no measures', () => {
    const [, , metrics] = measured;
    const sums = emptyMetricSums(metrics);
    (sums['error-examples'] as Float64Array)[0] = 2;
    (sums['squared'] as Float64Array)[1] = Number.POSITIVE_INFINITY;
    const counted = countedSums(sums, 2, metrics);
    expect(counted).toEqual(emptyMetricSums(metrics));
    const tally = { examples: 2, loss: 0, lossExamples: 0, hits: null, classes: null, sums: counted };
    expect(metricsOf(tally, metrics)?.values).toEqual({ mae: null, rmse: null, r2: null });
    const form: MeasureForm = { classes: null, heldOut: true, maxExamples: 10, metrics };
    checkTally(tally, form);
    checkTally(emptyTally(form), form);
  });
});

describe('a tally', () => {
  it('of real examples passes, before it travels and after', () => {
    fc.assert(
      fc.property(honest, ({ form, tally }) => {
        checkTally(tally, form);
        const tensors = evaluationMeasures(form);
        const came = decodeMeasures(tensors, encodeMeasures(tensors, tallyMeasures('held', tally)));
        const back = tallyOf('held', came) as Tally;
        checkTally(back, form);
        expect({ ...back, loss: tally.loss }).toEqual(tally);
        expect(Math.abs(back.loss - tally.loss)).toBeLessThanOrEqual(tally.loss * 2 ** -47 + 2 ** -149);
      }),
    );
  });

  /** Each makes of an honest tally one that no examples give. `null`: this tally has nothing to lie about in that way. */
  const lies: Readonly<Record<string, (tally: Tally, form: MeasureForm) => Tally | null>> = {
    'a part of an example': (tally) => ({ ...tally, examples: tally.examples + 0.5 }),
    'fewer examples than none': (tally) => ({ ...tally, examples: -1 }),
    'more examples than the plan allows': (tally, { maxExamples }) => ({
      ...tally,
      examples: maxExamples + 1,
      lossExamples: maxExamples + 1,
    }),
    'examples that are no number': (tally) => ({ ...tally, examples: Number.NaN }),
    'a loss of other examples': (tally) => ({ ...tally, lossExamples: tally.examples + 1 }),
    'a loss of some of the examples': (tally) =>
      tally.examples < 2 ? null : { ...tally, lossExamples: tally.examples - 1 },
    'a negative loss': (tally) => ({ ...tally, loss: -1e-9 }),
    'a loss that is no number': (tally) => ({ ...tally, loss: Number.NaN }),
    'an infinite loss': (tally) => ({ ...tally, loss: Number.POSITIVE_INFINITY }),
    'a mean loss beyond the bound': (tally, { classes }) => ({
      ...tally,
      loss:
        (MAX_MEAN_LOSS[classes === null ? 'number' : 'classes'] * (1 + 1e-12) + 1e-9) *
        (tally.examples + 1e-9),
    }),
    'a loss of no examples': (tally) => ({ ...tally, loss: 1, lossExamples: 0 }),
    'more hits than examples': (tally) =>
      tally.hits === null ? null : { ...tally, hits: tally.examples + 1 },
    'a part of a hit': (tally) => (tally.hits === null ? null : { ...tally, hits: 0.5 }),
    'fewer hits than none': (tally) => (tally.hits === null ? null : { ...tally, hits: -1 }),
    'hits that the classes do not have': (tally) =>
      tally.hits === null || tally.hits === 0 ? null : { ...tally, hits: tally.hits - 1 },
    'an example that is of no class': ({ classes, ...tally }) =>
      classes === null
        ? null
        : {
            ...tally,
            classes: { ...classes, examples: [(classes.examples[0] ?? 0) + 1, ...classes.examples.slice(1)] },
          },
    'a class with more hits than examples': ({ classes, ...tally }) => {
      if (classes === null || tally.hits === null || classes.hits.length < 2) return null;
      const full = classes.hits.findIndex((hits, i) => hits === classes.examples[i]);
      const giver = classes.hits.findIndex((hits, i) => i !== full && hits > 0);
      if (full < 0 || giver < 0) return null;
      // The sum stays what it was.
      const hits = classes.hits.map((n, i) => n + (i === full ? 1 : i === giver ? -1 : 0));
      return { ...tally, classes: { ...classes, hits } };
    },
    'classes of a negative size': ({ classes, ...tally }) =>
      classes === null || classes.examples.length < 2
        ? null
        : {
            ...tally,
            classes: {
              ...classes,
              examples: classes.examples.map((n, i) =>
                i === 0 ? -1 : i === 1 ? n + (classes.examples[0] ?? 0) + 1 : n,
              ),
            },
          },
    'a class too few': ({ classes, ...tally }) =>
      classes === null || classes.examples.at(-1) !== 0
        ? null
        : { ...tally, classes: { examples: classes.examples.slice(0, -1), hits: classes.hits.slice(0, -1) } },
  };

  it.each(Object.entries(lies))('with %s is refused', (_, lie) => {
    let told = 0;
    fc.assert(
      fc.property(honest, ({ form, tally }) => {
        const lied = lie(tally, form);
        if (lied === null) return;
        told++;
        expect(() => checkTally(lied, form)).toThrow(refused);
      }),
      { numRuns: 400 },
    );
    expect(told).toBeGreaterThan(5);
  });

  it('of several participants is the tally of all their examples', () => {
    const form = { classes: 3, heldOut: true, maxExamples: 100 };
    const tensors = evaluationMeasures(form);
    const sum = new MeasureSum(tensors);
    const one = (examples: number[], hits: number[], loss: number): Tally => {
      const total = examples.reduce((a, b) => a + b);
      const classes = { examples, hits };
      return { examples: total, loss, lossExamples: total, hits: hits.reduce((a, b) => a + b), classes };
    };
    sum.add(tallyMeasures('held', one([2, 0, 1], [1, 0, 1], 3)));
    sum.add(tallyMeasures('held', { ...one([1, 4, 0], [0, 3, 0], 0), lossExamples: 0 }));
    const tally = tallyOf('held', sum.totals());
    expect(tally).toEqual({ ...one([3, 4, 1], [1, 3, 1], 3), lossExamples: 3 });
    // A loss that is left out leaves the mean to the others.
    expect(metricsOf(tally)).toEqual({ loss: 1, accuracy: 5 / 8, examples: 8 });
  });
});

it('no examples have no metrics, and a loss of none has no mean', () => {
  const none: Tally = { examples: 0, loss: 0, lossExamples: 0, hits: 0, classes: null };
  expect(metricsOf(null)).toBeNull();
  expect(metricsOf(none)).toBeNull();
  expect(metricsOf({ ...none, examples: 4, hits: 1 })).toEqual({ loss: null, accuracy: 0.25, examples: 4 });
});

it('a loss that cannot be counted is left out with its examples', () => {
  for (const [loss, classes, left] of [
    [Number.NaN, null, true],
    [Number.POSITIVE_INFINITY, 3, true],
    [MAX_MEAN_LOSS.classes * 10 + 1, 3, true],
    [MAX_MEAN_LOSS.classes * 10 + 1, null, false],
    [MAX_MEAN_LOSS.classes * 10, 3, false],
  ] as const)
    expect(countedLoss(loss, 10, { classes })).toEqual(
      left ? { loss: 0, lossExamples: 0 } : { loss, lossExamples: 10 },
    );
  expect(countedLoss(-1e-12, 10, { classes: 2 })).toEqual({ loss: 0, lossExamples: 10 });
});

it('measures are laid out for what the task tells apart and the plan holds out', () => {
  const names = (form: MeasureForm) => trainMeasures(form).map(({ name }) => name);
  const train = ['train/examples', 'train/loss', 'train/loss-examples'];
  const held = ['held/examples', 'held/loss', 'held/loss-examples'];
  const form = { classes: null, heldOut: false, maxExamples: 50 };
  expect(names(form)).toEqual(train);
  expect(names({ ...form, heldOut: true })).toEqual([...train, ...held]);
  expect(names({ ...form, heldOut: true, classes: 4 })).toEqual([
    ...train,
    ...held,
    'held/hits',
    'held/class-examples',
    'held/class-hits',
  ]);
  const specs = evaluationMeasures({ ...form, classes: 4 });
  expect(specs.map(({ shape, bound, precision }) => [shape, bound, precision])).toEqual([
    [[], 50, 'single'],
    [[], 50 * MAX_MEAN_LOSS.classes, 'double'],
    [[], 50, 'single'],
    [[], 50, 'single'],
    [[4], 50, 'single'],
    [[4], 50, 'single'],
  ]);
});
