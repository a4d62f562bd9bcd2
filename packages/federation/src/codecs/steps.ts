import { type Codec, type Layout, modelParts, modelSize, payloadBytes } from '@coppice/protocol';
import { partOf, wholeOf } from '../model-parts.ts';
import { finish, STEP_PARAMETERS, type Steps } from '../steps.ts';
import { payloadValues } from './decode.ts';
import { encodeInSteps } from './encode.ts';
import { toFloat32InSteps, type Values } from './values.ts';

/** A quantized step from one model to the next, with the weights that result. */
export interface ModelStep {
  readonly payload: Uint8Array;
  readonly weights: Float32Array;
}

/**
 * Quantizes the difference of two models with a codec. The returned weights are the first model plus the decoded
 * payload, to the bit, so they are the next model. The payload has nothing of frozen tensors. Runs in slices.
 *
 * @throws CoppiceError `training-diverged` where a weight is not finite.
 */
export function* roundedStep(
  codec: Codec,
  {
    before,
    after,
    layout,
    seed,
  }: { before: Float32Array; after: Float32Array; layout: Layout; seed: number },
): Steps<ModelStep> {
  const parts = modelParts(layout);
  if (parts !== null) {
    const [from, to] = [yield* partOf(layout, 'moving', before), yield* partOf(layout, 'moving', after)];
    const step = yield* roundedStep(codec, { before: from, after: to, layout: parts.moving, seed });
    const frozen = yield* partOf(layout, 'frozen', before);
    return { payload: step.payload, weights: yield* wholeOf(layout, { moving: step.weights, frozen }) };
  }
  const change = new Float32Array(before.length);
  for (let from = 0; from < change.length; from += STEP_PARAMETERS) {
    if (from > 0) yield;
    const to = Math.min(change.length, from + STEP_PARAMETERS);
    for (let i = from; i < to; i++) change[i] = (after[i] as number) - (before[i] as number);
  }
  const payload = yield* encodeInSteps(codec, change, layout, seed);
  const weights = yield* moved(before, payloadValues({ codec, payload }, layout));
  return { payload, weights };
}

/**
 * Applies consecutive steps to a model: w ← float32(w + step).
 *
 * @param payload one or more steps, the oldest first.
 * @throws CoppiceError `frame-invalid` where the bytes are no steps.
 */
export function takeSteps(
  codec: Codec,
  payload: Uint8Array,
  from: Float32Array,
  layout: Layout,
): Float32Array {
  const parts = modelParts(layout);
  if (parts !== null) {
    const moving = takeSteps(codec, payload, finish(partOf(layout, 'moving', from)), parts.moving);
    const frozen = finish(partOf(layout, 'frozen', from));
    return finish(wholeOf(layout, { moving, frozen }));
  }
  const length = payloadBytes(codec, modelSize(layout));
  let weights = from;
  for (let at = 0; at < payload.byteLength; at += length) {
    const step = payload.subarray(at, at + length);
    weights = finish(moved(weights, payloadValues({ codec, payload: step }, layout)));
  }
  return weights;
}

function* moved(weights: Float32Array, by: Values): Steps<Float32Array> {
  const step = yield* toFloat32InSteps(by);
  for (let from = 0; from < step.length; from += STEP_PARAMETERS) {
    if (from > 0) yield;
    const to = Math.min(step.length, from + STEP_PARAMETERS);
    for (let i = from; i < to; i++) step[i] = (weights[i] as number) + (step[i] as number);
  }
  return step;
}
