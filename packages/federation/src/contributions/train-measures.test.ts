import { MAX_EXAMPLES } from '@coppice/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MeasureSum } from '../sums/measure-sum.ts';
import { decodeMeasures, encodeMeasures } from './measures.ts';
import {
  checkTally,
  countedLoss,
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
