import { encodedBytes, payloadBytes } from '../codec.ts';
import { FRAME_HEADER_BYTES } from '../frame.ts';
import { type Layout, layoutSize, modelParts, modelSize } from '../layout.ts';
import { MAX_STEPS_BYTES } from '../limits.ts';
import { type Plan, planDescription } from './plan.ts';
import { movesBySteps } from './wire.ts';

/** How many numbers a model has, by their part in a round; those that are neither trained nor frozen are averaged. */
export interface ModelNumbers {
  readonly parameters: number;
  readonly trainable: number;
  /** Numbers that no round moves, where they travel by themselves; 0 where a model travels as one. */
  readonly frozen: number;
}

export function modelNumbers(layout: Layout): ModelNumbers {
  const parts = modelParts(layout);
  return { ...modelSize(layout), frozen: parts === null ? 0 : layoutSize(parts.frozen) };
}

/**
 * Bytes of the frames that a plan lets travel between the coordinator and one device; the measures of an answer, less than
 * a hundred numbers, and the words around frames are left out.
 */
export interface Travel {
  /** Down, once to a device: the frozen part. */
  readonly once: number;
  /** Down with a question to a device that has no model yet, and to one that has the last one. */
  readonly first: number;
  readonly down: number;
  /** Up with an answer. */
  readonly up: number;
  /** The numbers of an answer: the change of all that moves, and of the strategy's own vectors. */
  readonly numbers: number;
}

export function travelOf(
  plan: Pick<Plan, 'strategy' | 'uploadCodec' | 'downloadCodec' | 'downloadForm'>,
  { parameters, trainable, frozen }: ModelNumbers,
): Travel {
  const moving = parameters - frozen;
  const payload = (codec: Plan['uploadCodec']) => payloadBytes(codec, { parameters: moving, trainable });
  const vectors = planDescription.vectorsOf(plan.strategy);
  // The strategy's tensors, and the header of the frozen part, which a device has or fetches by itself.
  const beside = vectors * (FRAME_HEADER_BYTES + payload('float32')) + (frozen > 0 ? FRAME_HEADER_BYTES : 0);
  const bySteps = movesBySteps(plan);
  const model = payload(bySteps ? 'float32' : plan.downloadCodec);
  const step = payload(plan.downloadCodec);
  // Steps that do not fit into a message, or are longer than the model, do not travel.
  const stepTravels = bySteps && FRAME_HEADER_BYTES + step <= MAX_STEPS_BYTES && step < model;
  return {
    once: 4 * frozen,
    first: FRAME_HEADER_BYTES + model + beside,
    down: FRAME_HEADER_BYTES + (stepTravels ? step : model) + beside,
    up: FRAME_HEADER_BYTES + payload(plan.uploadCodec) + vectors * encodedBytes(plan.uploadCodec, trainable),
    numbers: moving + vectors * trainable,
  };
}
