import { invalid } from '@coppice/model-files';
import { MAX_MODEL_BYTES } from '@coppice/protocol';
import type * as tf from './tf.ts';

/*
 * A topology of a few bytes can require more memory than exists. tfjs allocates each weight as soon as it reaches
 * its layer, so the check must be where weights are allocated.
 */
const MOST = MAX_MODEL_BYTES / 4;

/** Parameters that may still be allocated. */
let left = MOST;

/** Counts a weight before it is allocated. @throws CoppiceError `model-invalid` where there would be too many. */
export function limitWeights(shape: readonly (number | null)[]): void {
  left -= shape.reduce<number>((size, dimension) => size * (dimension ?? 1), 1);
  if (left < 0) throw tooLarge();
}

/** Builds a model of at most the largest size. Synchronous. @throws CoppiceError `model-invalid` */
export function withWeightLimit<T>(build: () => T): T {
  left = MOST;
  return build();
}

/** Limits the size of the tensors between layers. @throws CoppiceError `model-invalid` */
export function checkFlow(layers: readonly tf.layers.Layer[]): void {
  for (const layer of layers) {
    for (const { outputTensors } of layer.inboundNodes) {
      for (const { shape } of outputTensors) {
        const size = shape.reduce<number>((product, dimension) => product * Number(dimension ?? 1), 1);
        if (!(size <= MOST)) throw invalid(`its layer "${layer.name}" makes ${size} numbers of one example`);
      }
    }
  }
}

function tooLarge() {
  return invalid(`it has more than ${MOST} parameters, the most that fit into one message`);
}
