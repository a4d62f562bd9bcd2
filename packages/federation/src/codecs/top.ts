import { CoppiceError } from '@coppice/protocol';
import { STEP_PARAMETERS, type Steps } from '../steps.ts';
import type { Values } from './values.ts';

/*
 * The k values of largest magnitude, as k indices, ascending, of 32 bits, and then their k float32 values.
 */

/** Encodes the k largest magnitudes of `values`; among equal ones, the first. A piece of the model at a time. */
export function* encodeTop(values: Float32Array, k: number): Steps<Uint8Array> {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const { threshold, ties } = yield* largest(bits, k);
  const payload = new DataView(new ArrayBuffer(8 * k));
  let at = 0;
  let left = ties;
  for (const [from, end] of pieces(bits.length)) {
    if (from > 0) yield;
    for (let i = from; i < end; i++) {
      const magnitude = (bits[i] as number) & 0x7fffffff;
      if (magnitude < threshold || (magnitude === threshold && left-- <= 0)) continue;
      payload.setUint32(4 * at, i, true);
      payload.setUint32(4 * (k + at), bits[i] as number, true);
      at++;
    }
  }
  return new Uint8Array(payload.buffer);
}

/** Finds the bits of the k-th largest magnitude, and the number of equal magnitudes among the k. */
function* largest(bits: Uint32Array, k: number): Steps<{ threshold: number; ties: number }> {
  // As integers, magnitudes order as they do as numbers: first by their upper 16 bits, then by the lower 15.
  const upper = new Uint32Array(1 << 16);
  for (const [from, end] of pieces(bits.length)) {
    if (from > 0) yield;
    countUpper(bits.subarray(from, end), upper);
  }
  const high = fromAbove(upper, k);
  const lower = new Uint32Array(1 << 15);
  for (const [from, end] of pieces(bits.length)) {
    if (from > 0) yield;
    countLower(bits.subarray(from, end), high.bin, lower);
  }
  const low = fromAbove(lower, high.left);
  return { threshold: high.bin * 2 ** 15 + low.bin, ties: low.left };
}

function* pieces(length: number): Generator<[from: number, end: number]> {
  for (let from = 0; from < length; from += STEP_PARAMETERS)
    yield [from, Math.min(length, from + STEP_PARAMETERS)];
}

/** Counts magnitudes by their upper 16 bits. */
function countUpper(bits: Uint32Array, bins: Uint32Array): void {
  for (let i = 0; i < bits.length; i++) count(bins, ((bits[i] as number) & 0x7fffffff) >>> 15);
}

/** Counts magnitudes of one upper bin by their lower 15 bits. */
function countLower(bits: Uint32Array, upper: number, bins: Uint32Array): void {
  for (let i = 0; i < bits.length; i++) {
    const magnitude = (bits[i] as number) & 0x7fffffff;
    if (magnitude >>> 15 === upper) count(bins, magnitude & 0x7fff);
  }
}

function count(bins: Uint32Array, bin: number): void {
  bins[bin] = (bins[bin] as number) + 1;
}

/** Finds the histogram bin of the k-th largest magnitude, and the number of its values among the k. */
function fromAbove(bins: Uint32Array, k: number): { bin: number; left: number } {
  let left = k;
  let bin = bins.length - 1;
  while (left > (bins[bin] as number)) left -= bins[bin--] as number;
  return { bin, left };
}

/**
 * Checks the indices of a payload, a piece at a time.
 *
 * @throws CoppiceError `frame-invalid` where they do not ascend, or lie outside the model.
 */
export function* checkTop(parameters: number, payload: Uint8Array): Steps<void> {
  const k = payload.byteLength / 8;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  let before = -1;
  for (const [from, end] of pieces(k)) {
    if (from > 0) yield;
    before = checkIndices(view, [from, end], { before, parameters });
  }
}

/** @returns the last index. */
function checkIndices(
  view: DataView,
  [from, end]: readonly [number, number],
  { before, parameters }: { before: number; parameters: number },
): number {
  let last = before;
  for (let entry = from; entry < end; entry++) {
    const index = view.getUint32(4 * entry, true);
    if (index <= last || index >= parameters) {
      throw new CoppiceError(
        'frame-invalid',
        `The indices of a payload must ascend and lie in the model; ${index} does not.`,
      );
    }
    last = index;
  }
  return last;
}

/** @param payload one that `checkTop` found no fault in. */
export function topValues(parameters: number, payload: Uint8Array): Values {
  const k = payload.byteLength / 8;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const indexAt = (entry: number) => view.getUint32(4 * entry, true);
  return {
    parameters,
    read(memory, from, count, to) {
      const slice = new Float32Array(memory.buffer, to, count).fill(0);
      for (let entry = firstFrom(indexAt, k, from); entry < k; entry++) {
        const index = indexAt(entry);
        if (index >= from + count) break;
        slice[index - from] = view.getFloat32(4 * (k + entry), true);
      }
    },
  };
}

/** The first of k ascending entries whose index is `from` or more. */
function firstFrom(indexAt: (entry: number) => number, k: number, from: number): number {
  let low = 0;
  let high = k;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (indexAt(middle) < from) low = middle + 1;
    else high = middle;
  }
  return low;
}
