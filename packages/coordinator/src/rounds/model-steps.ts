import { type Codec, encodeFrame, FRAME_HEADER_BYTES, MAX_STEPS_BYTES } from '@coppice/protocol';
import { nativeCrc32 } from '../native-crc32.ts';

/** What a participant is sent of a model: all of it, the part that moves, or the steps from one that it has. */
export interface SentModel {
  readonly frame: Uint8Array;
  /** The hash of the model that the steps begin from; left out where none do. */
  readonly base?: string;
  /** The hash of the numbers that the frame has, where frozen ones are left out. */
  readonly moving?: string;
  /** The frozen tensors, where they were asked for by themselves. */
  readonly frozen?: { readonly hash: string; readonly frame: Uint8Array };
}

/**
 * The latest steps of a run, as many as are smaller than a whole model together. They are not stored: after a restart
 * models travel whole until there are new ones.
 */
export class ModelSteps {
  readonly #o: { codec: Codec; layoutHash: Uint8Array; parameters: number };
  /** The oldest first; each leads to where the next begins. */
  #steps: { from: string; payload: Uint8Array }[] = [];
  /** Encoded once, shared by all that have the same model. */
  #frames = new Map<string, Uint8Array>();
  #current: string;

  /** @param current the hash of the model as it is. */
  constructor(current: string, options: { codec: Codec; layoutHash: Uint8Array; parameters: number }) {
    this.#o = options;
    this.#current = current;
  }

  /** The model has moved on, by a step. */
  add(step: Uint8Array, to: string): void {
    const from = this.#current;
    this.#current = to;
    this.#frames = new Map();
    const most = Math.min(MAX_STEPS_BYTES - FRAME_HEADER_BYTES, 4 * this.#o.parameters - 1);
    const kept = Math.floor(most / step.byteLength);
    this.#steps = [...this.#steps, { from, payload: step }];
    this.#steps.splice(0, this.#steps.length - kept);
  }

  /** The steps from a model to the current one; none where it is that; `null` where they are not known, or not worth it. */
  from(base: string): Uint8Array | null {
    const known = this.#frames.get(base);
    if (known !== undefined) return known;
    const first =
      base === this.#current ? this.#steps.length : this.#steps.findIndex(({ from }) => from === base);
    if (first === -1) return null;
    const payloads = this.#steps.slice(first).map(({ payload }) => payload);
    const frame = encodeFrame({ kind: 'steps', ...this.#o, payload: Buffer.concat(payloads) }, nativeCrc32);
    this.#frames.set(base, frame);
    return frame;
  }
}
