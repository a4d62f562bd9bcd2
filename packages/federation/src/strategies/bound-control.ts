import type { Plan } from '@coppice/protocol';
import { MODEL_GROUP } from '../contributions/layout.ts';
import { normName } from '../pipeline/norm-bound.ts';
import { medianOf } from '../quantiles.ts';
import type { Steps } from '../steps.ts';
import type { RoundResult, StrategyState } from '../strategy.ts';
import { CONTROL } from './control.ts';
import { eachTrained } from './moved.ts';

/** Room for rounding, in medians of ‖uᵢ‖. */
const ROUNDING = 0.001;
/** The largest ‖c‖ where only norms are known, in the largest median of a round. */
const REACH = 2;

/** The name of the largest median norm of changes so far, among the state's values. */
const LARGEST = 'largestControlChange';

/** The fields of a plan that tell how a device's steps and the change of its control variate belong together. */
export type PathPlan = Pick<Plan, 'epochs' | 'batchSize' | 'learningRate' | 'uploadCodec' | 'clipNorm'>;

/**
 * Bounds the server's control variate, so that changes which participants invent do not add up in it.
 *
 * By option II every change is Δcᵢ = uᵢ − c with uᵢ = (x − yᵢ) / (Kᵢ η): it follows from the step that the same contribution
 * holds. So the paper's new c, with s = |S| / N and the mean over S contributions, is
 *
 *   c⁺ = (1 − s) c + s Σ uᵢ / |S|,
 *
 * and the server knows another mean of the same uᵢ, from the model's mean step alone: û = Σ wᵢ uᵢ with wᵢ ∝ nᵢ Kᵢ. The two
 * differ by s Σ (1 / |S| − wᵢ) uᵢ. c⁺ is moved toward (1 − s) c + s û where it is farther from it than
 *
 *   s m (Σ |1 / |S| − wᵢ| + 1 / 1000),   m the median of ‖uᵢ‖,
 *
 * which is almost nothing with contributions of like size. Where c⁺ is nearer to c than (1 − s) c + s û is, it stays: then
 * it is the step that was invented, or both were.
 *
 * Option I, codecs that round the two groups apart, and clipping break that relation. There ‖c‖ is at most twice the largest
 * median that a round's changes had: the first change of a device is its control variate.
 *
 * @param control c⁺ by the paper, corrected in place.
 * @param plan `null` where changes do not follow from steps.
 * @returns the state's next values, and the norm of what was taken off c⁺.
 */
export function* boundControl({
  before,
  control,
  share,
  values,
  round,
  plan,
}: {
  before: Float32Array;
  control: Float32Array;
  share: number;
  values: StrategyState['values'];
  round: RoundResult;
  plan: PathPlan | null;
}): Steps<{ values: StrategyState['values']; off: number }> {
  const { sizes, model, mean } = round;
  if (sizes === undefined) return { values, off: 0 };
  const path = pathOf(sizes, plan);
  const known = values[LARGEST];
  const changes = medianOf(sizes.map(({ norms }) => norms[CONTROL] ?? 0));
  // A state of an earlier version holds a variate and no largest change.
  const largest = Math.max(
    changes,
    typeof known === 'number' ? known : (yield* distance(model.layout, before, () => 0)) / REACH,
  );
  const expected =
    path === null
      ? () => 0
      : (i: number) => (1 - share) * (before[i] as number) - (share * (mean[i] as number)) / path.rate;
  const radius = path === null ? REACH * largest : share * path.typical * (path.unlike + ROUNDING);
  const away = yield* distance(model.layout, control, expected);
  const next = { ...values, [LARGEST]: largest };
  if (!(away > radius)) return { values: next, off: 0 };
  if (path !== null) {
    const at = (values: Float32Array) => (i: number) => values[i] as number;
    const [reported, derived] = [
      yield* distance(model.layout, before, at(control)),
      yield* distance(model.layout, before, expected),
    ];
    if (reported <= derived) return { values: next, off: 0 };
  }
  const kept = radius / away;
  yield* eachTrained(model.layout, (from, end) => {
    for (let i = from; i < end; i++) control[i] = expected(i) + kept * ((control[i] as number) - expected(i));
  });
  return { values: next, off: away - radius };
}

/** The relation between a round's mean step and the mean of its uᵢ; `null` where there is none. */
function pathOf(
  sizes: NonNullable<RoundResult['sizes']>,
  plan: PathPlan | null,
): { readonly rate: number; readonly typical: number; readonly unlike: number } | null {
  if (plan === null || plan.uploadCodec !== 'float32' || plan.clipNorm !== null || sizes.length === 0)
    return null;
  const { epochs, batchSize, learningRate } = plan;
  const steps = (weight: number) => epochs * Math.ceil(weight / batchSize);
  const name = normName(MODEL_GROUP, 'step');
  const weights = sizes.reduce((sum, { weight }) => sum + weight, 0);
  const products = sizes.reduce((sum, { weight }) => sum + weight * steps(weight), 0);
  return {
    rate: learningRate * (products / weights),
    typical: medianOf(sizes.map(({ weight, norms }) => (norms[name] ?? 0) / (steps(weight) * learningRate))),
    unlike: sizes.reduce(
      (sum, { weight }) => sum + Math.abs(1 / sizes.length - (weight * steps(weight)) / products),
      0,
    ),
  };
}

/** The L2 norm of the trained parameters' difference from what is expected. */
function* distance(
  layout: RoundResult['model']['layout'],
  from: Float32Array,
  expected: (i: number) => number,
): Steps<number> {
  let squares = 0;
  yield* eachTrained(layout, (begin, end) => {
    for (let i = begin; i < end; i++) squares += ((from[i] as number) - expected(i)) ** 2;
  });
  return Math.sqrt(squares);
}
