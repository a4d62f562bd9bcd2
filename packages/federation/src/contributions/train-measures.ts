import {
  CoppiceError,
  emptyMetricSums,
  MAX_EXAMPLES,
  type MetricForm,
  type MetricSumSpec,
  type MetricSums,
  type Metrics,
  metricSumSpecs,
  metricValues,
  type TensorSpec,
} from '@coppice/protocol';
import type { Measures } from './measures.ts';
import { checkSums } from './metric-checks.ts';

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
  /** The sums of the measures that the task asks for; left out where it asks for none. */
  readonly sums?: MetricSums;
}

/** The measures that a task and a plan ask for. */
export interface MeasureForm {
  /** Number of the task's classes; `null` where its target is a number. */
  readonly classes: number | null;
  /** True where participants hold out examples to evaluate on. */
  readonly heldOut: boolean;
  /** Upper bound on the examples behind one participant's measures. */
  readonly maxExamples: number;
  /** The task's measures beyond loss and accuracy; left out: none. */
  readonly metrics?: MetricForm;
}

/** The largest mean loss that counts. Cross-entropies stay far below; larger squared errors are reported as left out. */
export const MAX_MEAN_LOSS = { classes: 2 ** 10, number: 2 ** 30 } as const;

/** Unit of summed losses: the losses of 2¹⁶ participants stay below 2⁸⁴ units, within the range of the sum. */
const LOSS_UNIT = { classes: 2 ** -32, number: 2 ** -16 } as const;

/** Units of the sums of numbers: with the bounds below, those of 2¹⁶ participants stay below 2⁸⁴ units. */
const SUM_UNITS = { linear: 2 ** -32, square: LOSS_UNIT.number } as const;

/** The largest mean of absolute values and of squares that counts. */
const MAX_MEANS = { linear: 2 ** 15, square: MAX_MEAN_LOSS.number } as const;

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

function sumSpec({ name, shape, kind }: MetricSumSpec, { maxExamples }: MeasureForm): TensorSpec {
  const bound = kind === 'count' ? maxExamples : MAX_MEANS[kind] * maxExamples;
  const spec = count(`held/${name}`, bound, shape);
  return kind === 'count' ? spec : { ...spec, unit: SUM_UNITS[kind], precision: 'double' };
}

function tallySpecs(prefix: string, form: MeasureForm, byClass: boolean): TensorSpec[] {
  const { classes, maxExamples } = form;
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
  if (!byClass) return specs;
  const sums =
    form.metrics === undefined ? [] : metricSumSpecs(form.metrics).map((sum) => sumSpec(sum, form));
  if (classes === null) return [...specs, ...sums];
  return [
    ...specs,
    count(`${prefix}/hits`, maxExamples),
    count(`${prefix}/class-examples`, maxExamples, [classes]),
    count(`${prefix}/class-hits`, maxExamples, [classes]),
    ...sums,
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
  if (prefix === 'held')
    for (const [name, values] of Object.entries(tally.sums ?? {})) measures.set(`held/${name}`, values);
  return measures;
}

/**
 * Reads the tally of one prefix from measures or from their sums; `null` where there is none.
 *
 * @param form left out, the task's own measures are left out.
 */
export function tallyOf(prefix: 'train' | 'held', measures: Measures, form?: MetricForm): Tally | null {
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
    ...(form === undefined || prefix === 'train' ? {} : sumsOf(measures, form)),
  };
}

function sumsOf(measures: Measures, form: MetricForm): Pick<Tally, 'sums'> {
  const specs = metricSumSpecs(form);
  if (specs.length === 0) return {};
  const sums = specs.map(({ name }): [string, Float64Array] => [
    name,
    measures.get(`held/${name}`) ?? new Float64Array(0),
  ]);
  return { sums: Object.fromEntries(sums) };
}

/**
 * Mean loss and accuracy of a tally, and the task's own measures; `null` where it has no examples.
 *
 * @param form left out, the task's own measures are left out.
 */
export function metricsOf(tally: Tally | null, form?: MetricForm): Metrics | null {
  if (tally === null || tally.examples === 0) return null;
  return {
    loss: tally.lossExamples === 0 ? null : tally.loss / tally.lossExamples,
    accuracy: tally.hits === null ? null : tally.hits / tally.examples,
    examples: tally.examples,
    ...(form === undefined || tally.sums === undefined ? {} : metricValues(form, tally.sums, tally.classes)),
  };
}

/** The tally of no examples. */
export function emptyTally({ classes, metrics }: Pick<MeasureForm, 'classes' | 'metrics'>): Tally {
  const none = classes === null ? null : new Array<number>(classes).fill(0);
  return {
    examples: 0,
    loss: 0,
    lossExamples: 0,
    hits: none === null ? null : 0,
    classes: none === null ? null : { examples: none, hits: none },
    ...(metrics === undefined || metrics.metrics.length === 0 ? {} : { sums: emptyMetricSums(metrics) }),
  };
}

/**
 * The sums of a task's measures as they may be told: those of numbers are left out, with their examples, where one of them is
 * not finite or beyond its bound.
 */
export function countedSums(sums: MetricSums, examples: number, form: MetricForm): MetricSums {
  const isCounted = metricSumSpecs(form).every(
    ({ name, kind }) =>
      kind === 'count' ||
      sums[name]?.every((sum) => Number.isFinite(sum) && Math.abs(sum) <= MAX_MEANS[kind] * examples),
  );
  return isCounted ? sums : emptyMetricSums(form);
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
              : tally.sums !== undefined && form.metrics !== undefined
                ? checkSums(tally.sums, tally, form.metrics)
                : null;
  if (wrong === null) return;
  throw new CoppiceError(
    'update-measure',
    `What the update says it measured cannot be: ${wrong}. Count and sum again; docs/protocol.md says how.`,
  );
}
