import { isFrozen, type Layout, shapeSize } from '@coppice/protocol';
import { copiedRuns } from './codecs/interleaved.ts';
import type { Steps } from './steps.ts';

/** Neighbouring tensors of one part: their place in the whole model, and among their own. */
interface Extent {
  readonly frozen: boolean;
  readonly at: number;
  readonly own: number;
  readonly length: number;
}

/** The numbers of a model's frozen tensors, or of the others, in layout order: a copy, made a piece at a time. */
export function* partOf(
  layout: Layout,
  which: 'moving' | 'frozen',
  weights: Float32Array,
): Steps<Float32Array> {
  const mine = extentsOf(layout).filter(({ frozen }) => frozen === (which === 'frozen'));
  const part = new Float32Array(mine.reduce((sum, { length }) => sum + length, 0));
  yield* copiedRuns(
    part,
    mine.map(({ at, own, length }) => ({ from: weights.subarray(at, at + length), at: own })),
  );
  return part;
}

/**
 * A whole model of its parts, made a piece at a time.
 *
 * @param parts.frozen `null`: zeros, as of a vector that says how a model moves.
 */
export function* wholeOf(
  layout: Layout,
  { moving, frozen }: { moving: Float32Array; frozen: Float32Array | null },
): Steps<Float32Array> {
  const extents = extentsOf(layout);
  const weights = new Float32Array(extents.reduce((sum, { length }) => sum + length, 0));
  const runs = extents.flatMap(({ at, own, length, frozen: isOfFrozen }) => {
    const part = isOfFrozen ? frozen : moving;
    return part === null ? [] : [{ from: part.subarray(own, own + length), at }];
  });
  yield* copiedRuns(weights, runs);
  return weights;
}

/** Gives a model the frozen numbers of the one before it, in place: they stay the same to the bit. */
export function* keepFrozen(layout: Layout, before: Float32Array, weights: Float32Array): Steps<void> {
  const frozen = extentsOf(layout).filter((extent) => extent.frozen);
  yield* copiedRuns(
    weights,
    frozen.map(({ at, length }) => ({ from: before.subarray(at, at + length), at })),
  );
}

function extentsOf(layout: Layout): Extent[] {
  const extents: Extent[] = [];
  const own = { moving: 0, frozen: 0 };
  let at = 0;
  for (const spec of layout) {
    const length = shapeSize(spec.shape);
    const frozen = isFrozen(spec);
    const part = frozen ? 'frozen' : 'moving';
    const last = extents.at(-1);
    if (last?.frozen === frozen) extents[extents.length - 1] = { ...last, length: last.length + length };
    else extents.push({ frozen, at, own: own[part], length });
    own[part] += length;
    at += length;
  }
  return extents;
}
