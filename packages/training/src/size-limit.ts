import { MAX_MODEL_BYTES } from '@coppice/protocol';
import { invalid } from './read-topology.ts';
import * as tf from './tf.ts';

/*
 * A topology of a few bytes can ask for more memory than there is. tfjs makes each weight as soon as it meets
 * its layer, so this has to stand where weights are made.
 */
const MOST = MAX_MODEL_BYTES / 4;

interface Maker {
  addWeight(name: string, shape: readonly (number | null)[], ...rest: unknown[]): unknown;
}
const maker = tf.layers.Layer.prototype as unknown as Maker;
const { addWeight } = maker;
/** Parameters that may still be made; nobody counts while nobody builds. */
let left = Number.POSITIVE_INFINITY;

maker.addWeight = function (this: unknown, name, shape, ...rest) {
  left -= shape.reduce<number>((size, dimension) => size * (dimension ?? 1), 1);
  if (left < 0) throw tooLarge();
  return addWeight.call(this, name, shape, ...rest);
};

/** Builds at once, and not more than the largest model. @throws CoppiceError `model-invalid` */
export function withWeightLimit<T>(build: () => T): T {
  left = MOST;
  try {
    return build();
  } finally {
    left = Number.POSITIVE_INFINITY;
  }
}

/** What flows between layers has room of its own. @throws CoppiceError `model-invalid` */
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
