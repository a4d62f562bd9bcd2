import { invalid } from '@coppice/model-files';
import { type RandomSource, seededRandom } from '@coppice/ports';
import { everyLayer } from './layer-tree.ts';
import { type NextSeed, NoiseLayer } from './noise-layers.ts';
import * as tf from './tf.ts';

/** The random part of recurrent layers' cells. tfjs calls `dropoutFunc` where it is set. */
interface RecurrentCell {
  dropoutFunc?: (x: tf.Tensor, rate: number) => tf.Tensor;
  dropoutMask: tf.Tensor | tf.Tensor[] | null;
  recurrentDropoutMask: tf.Tensor | tf.Tensor[] | null;
}

const cellNames = new Set(['SimpleRNNCell', 'GRUCell', 'LSTMCell', 'ConvLSTM2DCell']);
const seededNames = new Set(['Dropout', 'SpatialDropout1D']);
const refusedNames = new Set(['RandomWidth', 'RandomHeight']);

/**
 * The random layers of a model, at any depth. Left alone they draw from the process's own source, or repeat one
 * drawing; here each gets a stream of its own.
 */
export class RandomLayers {
  readonly #streams: (RandomSource | null)[] = [];
  readonly #cells: RecurrentCell[] = [];
  readonly #noises: NoiseLayer[] = [];
  #silent = false;

  constructor(model: tf.LayersModel) {
    for (const layer of everyLayer(model)) {
      const name = layer.getClassName();
      if (layer instanceof NoiseLayer) {
        layer.nextSeed = this.#newStream();
        this.#noises.push(layer);
      } else if (seededNames.has(name)) {
        const nextSeed = this.#newStream();
        const dropout = layer as unknown as { rate: number; seed: number };
        const { rate } = dropout;
        layer.setCallHook((_, kwargs) => {
          dropout.rate = this.#silent ? 0 : rate;
          if (kwargs['training'] && !this.#silent) dropout.seed = nextSeed();
        });
      } else if (cellNames.has(name)) {
        const nextSeed = this.#newStream();
        const cell = layer as unknown as RecurrentCell;
        cell.dropoutFunc = (x, rate) =>
          this.#silent ? tf.clone(x) : tf.dropout(x, rate, undefined, nextSeed());
        this.#cells.push(cell);
      }
    }
  }

  /** Restarts every layer's stream at this address. */
  seed(...address: readonly (string | number)[]): void {
    for (const layer of this.#streams.keys()) this.#streams[layer] = seededRandom(...address, 'layer', layer);
  }

  /** Switches randomness off or on. Silent layers leave their inputs unchanged, as in prediction. */
  silence(silent: boolean): void {
    this.#silent = silent;
    for (const layer of this.#noises) layer.silent = silent;
  }

  /** Disposes of the masks that recurrent cells drew for one batch; not every kind of layer does so by itself. */
  forget(): void {
    for (const cell of this.#cells) {
      tf.dispose([cell.dropoutMask ?? [], cell.recurrentDropoutMask ?? []].flat());
      cell.dropoutMask = null;
      cell.recurrentDropoutMask = null;
    }
  }

  #newStream(): NextSeed {
    const layer = this.#streams.push(null) - 1;
    return () => {
      const stream = this.#streams[layer];
      if (!stream) throw new Error('A layer draws, and was given no seed');
      return (stream.uint32() >>> 1) + 1;
    };
  }
}

/**
 * Refuses layers whose randomness cannot be seeded or silenced. Reads the topology, since tfjs can't even build most
 * models around them.
 *
 * @throws CoppiceError `model-invalid`
 */
export function checkRandomLayers(topology: unknown): void {
  if (typeof topology !== 'object' || topology === null) return;
  const { class_name: kind, config } = topology as { class_name?: unknown; config?: { name?: unknown } };
  if (typeof kind === 'string' && refusedNames.has(kind)) {
    throw invalid(
      `its layer "${config?.name ?? kind}" is a ${kind}, which in tfjs draws a new size for every batch, also when the model is only asked. Leave it out, and vary the pictures before they are added`,
    );
  }
  for (const inner of Object.values(topology)) checkRandomLayers(inner);
}
