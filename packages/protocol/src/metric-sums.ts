import { MAX_TOLD_CLASSES } from './limits.ts';
import type { Metrics, MetricValues } from './run.ts';
import { targetColumns } from './target.ts';
import { classesOf, DEFAULT_THRESHOLD, type MetricName, type Task } from './task.ts';

/** Equal bins of a score from 0 to 1; a score of 1 belongs to the last. */
export const SCORE_BINS = 256;

/** What a task's measures beyond loss and accuracy are computed from. */
export interface MetricForm {
  /** Number of the task's classes; `null` where its target is numbers. */
  readonly classes: number | null;
  /** The scale of each number that the task predicts; none for classes. */
  readonly scales: readonly number[];
  readonly metrics: readonly MetricName[];
  /** The probability of the second of two classes above which it is predicted. */
  readonly threshold: number;
}

export function metricForm(task: Pick<Task, 'data' | 'metrics' | 'threshold'>): MetricForm {
  return {
    classes: classesOf(task.data)?.length ?? null,
    scales: targetColumns(task.data).map(({ scale }) => scale),
    metrics: task.metrics ?? [],
    threshold: task.threshold ?? DEFAULT_THRESHOLD,
  };
}

/**
 * Sums over examples, by name and flat. Those of disjoint sets of examples add up, number by number.
 *
 * - `scores`: of each scored class (of two classes the second alone), 256 counts of examples of other classes by the bin of
 *   its probability, then 256 of its own.
 * - `predicted`, `found`: examples predicted as each class, and those that were rightly. `found` only for two classes, where
 *   a threshold decides; of more, it is the hits of the class.
 * - `error-examples`: the examples behind the following; 0 where one of them is not finite or too large.
 * - `absolute`, `squared`: of each output, Σ |prediction − target| and Σ (prediction − target)², scaled.
 * - `targets`, `target-squares`: of each output, Σ target and Σ target², scaled.
 */
export type MetricSums = Readonly<Record<string, Float64Array>>;

/** Name, shape and kind of the sums that a form asks for: counts of examples, or sums of numbers. */
export interface MetricSumSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly kind: 'count' | 'linear' | 'square';
}

/** Rows of `scores`. */
function scoredRows(classes: number): number {
  return classes === 2 ? 1 : classes;
}

/** The sums that a task's measures need, in the order in which they travel. */
export function metricSumSpecs({ classes, scales, metrics }: MetricForm): MetricSumSpec[] {
  if (metrics.length === 0) return [];
  const asks = (...names: MetricName[]) => names.some((name) => metrics.includes(name));
  if (classes === null) {
    const shape = [scales.length];
    return [
      { name: 'error-examples', shape: [], kind: 'count' },
      { name: 'absolute', shape, kind: 'linear' },
      { name: 'squared', shape, kind: 'square' },
      { name: 'targets', shape, kind: 'linear' },
      { name: 'target-squares', shape, kind: 'square' },
    ];
  }
  const decided: MetricSumSpec[] = asks('precision', 'recall', 'f1')
    ? [
        { name: 'predicted', shape: [classes], kind: 'count' },
        ...(classes === 2 ? [{ name: 'found', shape: [classes], kind: 'count' } as const] : []),
      ]
    : [];
  return [
    ...(asks('auroc', 'prAuc')
      ? [{ name: 'scores', shape: [scoredRows(classes), 2, SCORE_BINS], kind: 'count' } as const]
      : []),
    ...decided,
  ];
}

/** The sums of no examples. */
export function emptyMetricSums(form: MetricForm): Record<string, Float64Array> {
  return Object.fromEntries(
    metricSumSpecs(form).map(({ name, shape }) => [
      name,
      new Float64Array(shape.reduce((size, dimension) => size * dimension, 1)),
    ]),
  );
}

/** Adds the sums of one set of examples to those of another. */
export function addMetricSums(to: MetricSums, more: MetricSums): void {
  for (const [name, values] of Object.entries(to)) {
    const added = more[name];
    for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) + (added?.[i] ?? 0);
  }
}

/** The bin of a score; one that is no number is in the first. */
export function scoreBin(score: number): number {
  return score > 0 ? Math.min(SCORE_BINS - 1, Math.floor(score * SCORE_BINS)) : 0;
}

/**
 * Adds one classified example.
 *
 * @param probabilities of the classes, in order: those of two add up to 1.
 * @param best the class with the largest probability.
 */
export function addClassified(
  sums: MetricSums,
  { classes, threshold }: MetricForm,
  probabilities: ArrayLike<number>,
  label: number,
  best: number,
): void {
  const { scores, predicted, found } = sums;
  if (scores !== undefined && classes !== null) {
    const rows = scoredRows(classes);
    for (let row = 0; row < rows; row++) {
      const scored = rows === 1 ? 1 : row;
      const side = label === scored ? 1 : 0;
      increase(scores, (2 * row + side) * SCORE_BINS + scoreBin(probabilities[scored] as number));
    }
  }
  if (predicted === undefined) return;
  const decided = classes === 2 ? ((probabilities[1] as number) > threshold ? 1 : 0) : best;
  increase(predicted, decided);
  if (decided === label && found !== undefined) increase(found, label);
}

function increase(counts: Float64Array, at: number): void {
  counts[at] = (counts[at] as number) + 1;
}

/**
 * Measures from sums: over all, of each class and of each output.
 *
 * Areas are those of the scores' bins, in which scores count as equal: with p positives and n negatives in a bin of P and N,
 * `auroc` differs from that of the scores themselves by at most Σ p·n / (2·P·N). `prAuc` is average precision,
 * Σ (recallᵢ − recallᵢ₋₁) · precisionᵢ over the bins from the highest down. R² is 1 − Σ(prediction − target)² /
 * Σ(target − mean)². `null`: there is none, such as an area without examples of both sides.
 *
 * @param counts examples and hits of each class, in order; `null` for numbers.
 */
export function metricValues(
  form: MetricForm,
  sums: MetricSums,
  counts: { readonly examples: readonly number[]; readonly hits: readonly number[] } | null,
): Pick<Metrics, 'values' | 'classes' | 'outputs'> {
  const { metrics } = form;
  if (metrics.length === 0) return {};
  if (form.classes === null || counts === null) {
    const outputs = form.scales.map((scale, i) => chosen(metrics, outputValues(sums, i, scale)));
    const [only, ...more] = outputs;
    if (only !== undefined && more.length === 0) return { values: only };
    return { values: means(metrics, outputs, true), outputs };
  }
  const classes = counts.examples.map((examples, i) => ({
    ...chosen(metrics, classValues(form, sums, counts, i)),
    examples,
  }));
  const [, second] = classes;
  const { examples: _, ...ofSecond } = second ?? { examples: 0 };
  const values = form.classes === 2 ? ofSecond : means(metrics, classes, false);
  return classes.length > MAX_TOLD_CLASSES ? { values } : { values, classes };
}

/** Metrics over all examples alone, as many are told them: without those of each class and output. */
export function briefMetrics(metrics: Metrics | null): Metrics | null {
  if (metrics === null) return null;
  const { loss, accuracy, examples, values } = metrics;
  return { loss, accuracy, examples, ...(values === undefined ? {} : { values }) };
}

type AllValues = Partial<Record<MetricName, number | null>>;

function chosen(metrics: readonly MetricName[], all: AllValues): MetricValues {
  return Object.fromEntries(metrics.map((name) => [name, all[name] ?? null]));
}

/** The mean of each measure over classes or outputs. @param isStrict `null` where one of them has none. */
function means(
  metrics: readonly MetricName[],
  parts: readonly MetricValues[],
  isStrict: boolean,
): MetricValues {
  return Object.fromEntries(
    metrics.map((name) => {
      const known = parts.flatMap((part) => part[name] ?? []);
      const isNone = known.length === 0 || (isStrict && known.length < parts.length);
      return [name, isNone ? null : known.reduce((sum, value) => sum + value, 0) / known.length];
    }),
  );
}

function outputValues(sums: MetricSums, output: number, scale: number): AllValues {
  const examples = sums['error-examples']?.[0] ?? 0;
  if (examples === 0) return {};
  const of = (name: string) => sums[name]?.[output] ?? 0;
  const squared = Math.max(0, of('squared'));
  const spread = of('target-squares') - of('targets') ** 2 / examples;
  // Targets that are all the same leave only what rounding left of their sums.
  const isSpread = spread > 1e-12 * of('target-squares');
  return {
    mae: (scale * of('absolute')) / examples,
    rmse: scale * Math.sqrt(squared / examples),
    r2: isSpread ? 1 - squared / spread : null,
  };
}

function classValues(
  form: MetricForm,
  sums: MetricSums,
  counts: { readonly examples: readonly number[]; readonly hits: readonly number[] },
  place: number,
): AllValues {
  const examples = counts.examples[place] ?? 0;
  const predicted = sums['predicted']?.[place] ?? 0;
  const found = sums['found']?.[place] ?? counts.hits[place] ?? 0;
  return {
    recall: examples === 0 ? null : found / examples,
    precision: predicted > 0 ? found / predicted : examples === 0 ? null : 0,
    f1: predicted + examples === 0 ? null : (2 * found) / (predicted + examples),
    ...areasOf(form, sums, place),
  };
}

/** The areas of one class against the others. The first of two classes has the histograms of the second, turned round. */
function areasOf({ classes }: MetricForm, { scores }: MetricSums, place: number): AllValues {
  if (scores === undefined || classes === null) return {};
  const row = classes === 2 ? 0 : place;
  const isTurned = classes === 2 && place === 0;
  const side = (which: 0 | 1) => {
    const bins = scores.subarray((2 * row + which) * SCORE_BINS, (2 * row + which + 1) * SCORE_BINS);
    return isTurned ? bins.slice().reverse() : bins;
  };
  const [negatives, positives] = isTurned ? [side(1), side(0)] : [side(0), side(1)];
  return areas(negatives, positives);
}

function areas(
  negatives: Float64Array,
  positives: Float64Array,
): { auroc: number | null; prAuc: number | null } {
  const sum = (bins: Float64Array) => bins.reduce((a, b) => a + b, 0);
  const [allNegatives, allPositives] = [sum(negatives), sum(positives)];
  let [falsely, rightly, above, precision] = [0, 0, 0, 0];
  for (let bin = SCORE_BINS - 1; bin >= 0; bin--) {
    const [n, p] = [negatives[bin] as number, positives[bin] as number];
    above += n * (rightly + p / 2);
    falsely += n;
    rightly += p;
    if (p > 0) precision += (p * rightly) / (rightly + falsely);
  }
  return {
    auroc: allNegatives === 0 || allPositives === 0 ? null : above / (allNegatives * allPositives),
    prAuc: allPositives === 0 ? null : precision / allPositives,
  };
}
