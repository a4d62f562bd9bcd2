import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { pickRows } from './examples.ts';
import type { OwnDataset } from './local-data.ts';
import { ID_BYTES } from './marks.ts';

/** Shares of a device's examples, 0–1. */
export interface HeldOutShares {
  /** The task's: no plan trains on these examples. */
  readonly task: number;
  /** The plan's `evaluationShare`; 0: the run evaluates nothing on devices. */
  readonly plan: number;
}

/** A participant's examples, split in two. */
export interface Split {
  readonly training: OwnDataset;
  /** Held-out examples to evaluate the global model on; null where none are, or the run evaluates nothing on devices. */
  readonly evaluation: OwnDataset | null;
}

/**
 * Splits a device's examples into training and held-out ones, for as long as they exist. An example is held out where its
 * draw is below the share: the draw depends on the device's secret and the example's id alone, not on its label, its
 * place, the other examples, the run or the plan.
 *
 * A plan's share above the task's holds that many out of its run's training too, where examples to train on remain. At
 * the task's share, a device all of whose examples would be on one side is too small to split: it trains on all and
 * evaluates on none.
 *
 * @param secret the device's, 32 bytes.
 */
export function holdOut(data: OwnDataset, secret: Uint8Array, shares: HeldOutShares): Split {
  const most = Math.max(shares.task, shares.plan);
  if (most === 0) return { training: data, evaluation: null };
  const drawn = draws(data.ids, secret);
  for (const share of most > shares.task ? [most, shares.task] : [most]) {
    const training: number[] = [];
    const evaluation: number[] = [];
    for (const [row, draw] of drawn.entries()) (draw < share ? evaluation : training).push(row);
    if (training.length > 0 && evaluation.length > 0)
      return {
        training: pickRows(data, training),
        evaluation: shares.plan > 0 ? pickRows(data, evaluation) : null,
      };
  }
  return { training: data, evaluation: null };
}

/**
 * The draw of each example, uniform in [0, 1): the first 53 bits of HMAC-SHA-256 (RFC 2104) of its id under the device's
 * secret, over 2⁵³.
 */
export function draws(ids: Uint8Array, secret: Uint8Array): Float64Array {
  const keyed = hmac.create(sha256, secret);
  return Float64Array.from({ length: ids.length / ID_BYTES }, (_, row) => {
    const code = keyed
      .clone()
      .update(ids.subarray(row * ID_BYTES, (row + 1) * ID_BYTES))
      .digest();
    const view = new DataView(code.buffer, code.byteOffset);
    return (view.getUint32(0) * 2 ** 21 + (view.getUint32(4) >>> 11)) / 2 ** 53;
  });
}
