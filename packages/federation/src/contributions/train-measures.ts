import { CoppiceError, MAX_EXAMPLES, type Metrics, type TensorSpec } from '@coppice/protocol';
import type { Measures } from './measures.ts';

/** Loss and hits of a model, summed over examples. Tallies merge by addition. */
export interface Tally {
  readonly examples: number;
  /** Σ loss over `lossExamples`; 0 where the loss was not finite or beyond its bound. */
  readonly loss: number;
  /** `examples`, or 0 where their loss is left out. */
  readonly lossExamples: number;
  /** Correctly classified examples; `null` where nothing is classified. */
  readonly hits: number | null;
  /** Counts by class, in the task's order; `null` where nothing is classified. */
  readonly classes: { readonly examples: readonly number[]; readonly hits: readonly number[] } | null;
}

/** The measures that a task and a plan ask for. */
export interface MeasureForm {
  /** Number of the task's classes; `null` where its target is a number. */
  readonly classes: number | null;
  /** True where participants hold out examples to evaluate on. */
  readonly heldOut: boolean;
  /** Upper bound on the examples behind one participant's measures. */
  readonly maxExamples: number;
}

/** The largest mean loss that counts. Cross-entropies stay far below; larger squared errors are reported as left out. */
export const MAX_MEAN_LOSS = { classes: 2 ** 10, number: 2 ** 30 } as const;

/** Unit of summed losses: the losses of 2¹⁶ participants stay below 2⁸⁴ units, within the range of the sum. */
const LOSS_UNIT = { classes: 2 ** -32, number: 2 ** -16 } as const;

const GROUP = 'measures';

function count(name: string, bound: number, shape: readonly number[] = []): TensorSpec {
  return {
    name,
    shape: [...shape],
    role: 'measure',
    group: GROUP,
    unit: 1,
    bound,
    weighted: 'one',
    precision: 'single',
  };
}

function tallySpecs(prefix: string, { classes, maxExamples }: MeasureForm, byClass: boolean): TensorSpec[] {
  const kind = classes === null ? 'number' : 'classes';
  const loss: TensorSpec = {
    ...count(`${prefix}/loss`, MAX_MEAN_LOSS[kind] * maxExamples),
    unit: LOSS_UNIT[kind],
    precision: 'double',
  };
  const specs = [
    count(`${prefix}/examples`, maxExamples),
    loss,
    count(`${prefix}/loss-examples`, maxExamples),
  ];
  if (classes === null || !byClass) return specs;
  return [
    ...specs,
    count(`${prefix}/hits`, maxExamples),
    count(`${prefix}/class-examples`, maxExamples, [classes]),
    count(`${prefix}/class-hits`, maxExamples, [classes]),
  ];
}

/** The measures of a training: the training examples, and the received model's results on held-out ones. */
export function trainMeasures(form: MeasureForm): TensorSpec[] {
  return [...tallySpecs('train', form, false), ...(form.heldOut ? tallySpecs('held', form, true) : [])];
}

/** The measures of an evaluation alone. */
export function evaluationMeasures(form: MeasureForm): TensorSpec[] {
  return tallySpecs('held', form, true);
}

/** Converts a tally to measures. */
export function tallyMeasures(prefix: 'train' | 'held', tally: Tally): Measures {
  const measures = new Map<string, Float64Array>([
    [`${prefix}/examples`, Float64Array.of(tally.examples)],
    [`${prefix}/loss`, Float64Array.of(tally.loss)],
    [`${prefix}/loss-examples`, Float64Array.of(tally.lossExamples)],
  ]);
  if (prefix === 'held' && tally.hits !== null && tally.classes !== null) {
    measures.set('held/hits', Float64Array.of(tally.hits));
    measures.set('held/class-examples', Float64Array.from(tally.classes.examples));
    measures.set('held/class-hits', Float64Array.from(tally.classes.hits));
  }
  return measures;
}

/** Reads the tally of one prefix from measures or from their sums; `null` where there is none. */
export function tallyOf(prefix: 'train' | 'held', measures: Measures): Tally | null {
  const one = (name: string) => measures.get(`${prefix}/${name}`)?.[0] ?? null;
  const examples = one('examples');
  if (examples === null) return null;
  const byClass = measures.get(`${prefix}/class-examples`);
  return {
    examples,
    loss: one('loss') ?? 0,
    lossExamples: one('loss-examples') ?? 0,
    hits: one('hits'),
    classes:
      byClass === undefined
        ? null
        : { examples: [...byClass], hits: [...(measures.get(`${prefix}/class-hits`) ?? [])] },
  };
}

/** Mean loss and accuracy of a tally; `null` where it has no examples. */
export function metricsOf(tally: Tally | null): Metrics | null {
  if (tally === null || tally.examples === 0) return null;
  return {
    loss: tally.lossExamples === 0 ? null : tally.loss / tally.lossExamples,
    accuracy: tally.hits === null ? null : tally.hits / tally.examples,
    examples: tally.examples,
  };
}

/** A sum of losses as it may be told: left out, with its examples, where it is not finite or beyond the bound. */
export function countedLoss(
  loss: number,
  examples: number,
  { classes }: Pick<MeasureForm, 'classes'>,
): Pick<Tally, 'loss' | 'lossExamples'> {
  const most = MAX_MEAN_LOSS[classes === null ? 'number' : 'classes'] * examples;
  // Rounding can leave a perfect fit a hair below zero.
  return Number.isFinite(loss) && Math.abs(loss) <= most
    ? { loss: Math.max(0, loss), lossExamples: examples }
    : { loss: 0, lossExamples: 0 };
}

/**
 * Refuses a participant's tally that no data can give: counts that are no whole numbers, more hits than examples,
 * classes that do not add up, a negative cross-entropy or a mean loss beyond the bound.
 *
 * @throws CoppiceError `update-measure`
 */
export function checkTally(tally: Tally, form: MeasureForm): void {
  const { examples, loss, lossExamples, hits, classes } = tally;
  const whole = (value: number, most: number) => Number.isInteger(value) && value >= 0 && value <= most;
  const kind = form.classes === null ? 'number' : 'classes';
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  const wrong = !whole(examples, Math.min(form.maxExamples, MAX_EXAMPLES))
    ? `it is of ${examples} examples`
    : lossExamples !== examples && lossExamples !== 0
      ? `its loss is of ${lossExamples} of its ${examples} examples`
      : !(loss >= 0)
        ? `its loss is ${loss}`
        : loss > MAX_MEAN_LOSS[kind] * lossExamples
          ? `its loss is ${loss} over ${lossExamples} examples`
          : hits !== null && !whole(hits, examples)
            ? `it has ${hits} hits in ${examples} examples`
            : classes !== null &&
                (classes.examples.length !== form.classes ||
                  classes.hits.length !== form.classes ||
                  !classes.examples.every((n) => whole(n, examples)) ||
                  !classes.hits.every((n, i) => whole(n, classes.examples[i] ?? 0)) ||
                  sum(classes.examples) !== examples ||
                  sum(classes.hits) !== hits)
              ? 'its classes do not add up to its examples and hits'
              : null;
  if (wrong === null) return;
  throw new CoppiceError(
    'update-measure',
    `What the update says it measured cannot be: ${wrong}. Count and sum again; docs/protocol.md says how.`,
  );
}
