import { type Codec, type Layout, modelSize, payloadBytes } from '@coppice/protocol';
import { payloadValues } from './decode.ts';
import { encodeValues } from './encode.ts';
import { toFloat32, type Values } from './values.ts';

/** A step from one model to the next, as it travels, and where it leads. */
export interface ModelStep {
  readonly payload: Uint8Array;
  readonly weights: Float32Array;
}

/**
 * Rounds the step between two models to a codec. Whoever has the first and is sent the payload has the weights, to the
 * bit, so these are what the model becomes.
 *
 * @throws CoppiceError `training-diverged` where a weight is not finite.
 */
export function roundedStep(
  codec: Codec,
  {
    before,
    after,
    layout,
    seed,
  }: { before: Float32Array; after: Float32Array; layout: Layout; seed: number },
): ModelStep {
  const change = after.map((weight, i) => weight - (before[i] as number));
  const payload = encodeValues(codec, change, layout, seed);
  return { payload, weights: moved(before, payloadValues({ codec, payload }, layout)) };
}

/**
 * Takes one step after the other: w ← float32(w + step).
 *
 * @param payload of one or more steps, the oldest first.
 * @throws CoppiceError `frame-invalid` where the bytes are no steps.
 */
export function takeSteps(
  codec: Codec,
  payload: Uint8Array,
  from: Float32Array,
  layout: Layout,
): Float32Array {
  const length = payloadBytes(codec, modelSize(layout));
  let weights = from;
  for (let at = 0; at < payload.byteLength; at += length) {
    const step = payload.subarray(at, at + length);
    weights = moved(weights, payloadValues({ codec, payload: step }, layout));
  }
  return weights;
}

function moved(weights: Float32Array, by: Values): Float32Array {
  const step = toFloat32(by);
  for (let i = 0; i < step.length; i++) step[i] = (weights[i] as number) + (step[i] as number);
  return step;
}
