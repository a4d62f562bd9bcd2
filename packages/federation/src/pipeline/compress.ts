import type { Codec } from '@coppice/protocol';
import { payloadValues } from '../codecs/decode.ts';
import { encodeValues } from '../codecs/encode.ts';
import { toFloat32 } from '../codecs/values.ts';
import { trainableNorm } from '../metrics.ts';
import { clip } from './clip.ts';
import type { StepContext } from './pipeline.ts';

/** What leaves the device, and what the coordinator will read in it. */
export interface Compressed {
  readonly payload: Uint8Array;
  readonly arrives: Float32Array;
}

/** How often values are scaled down to keep a norm that rounding leaves. */
const TRIES = 6;

/**
 * The step after noise and before masks: values as bytes. Random rounding can make an update longer than
 * clipping left it; then it is clipped a little shorter, so that what arrives keeps the bound.
 *
 * @param seed names the random bits: another for every participant and round.
 * @param bound the norm that what arrives must keep, over all trainable tensors; `null`: none.
 * @throws CoppiceError `training-diverged` where a value is not finite.
 */
export function compress(
  codec: Codec,
  values: Float32Array,
  { seed, bound, context }: { seed: number; bound: number | null; context: StepContext },
): Compressed {
  let shorter = values;
  for (let attempt = 1; ; attempt++) {
    const payload = encodeValues(codec, shorter, context.layout, seed);
    if (codec === 'float32') return { payload, arrives: shorter };
    const arrives = toFloat32(payloadValues({ codec, payload }, context.layout));
    if (bound === null || attempt === TRIES) return { payload, arrives };
    const norm = trainableNorm(arrives, context.layout);
    if (norm <= bound) return { payload, arrives };
    // Rounding may undo a small step, so each is larger than the one before: 1e-5, 1e-4, … 0.1 of the length.
    const margin = 1e-6 * 10 ** attempt;
    const target = trainableNorm(shorter, context.layout) * Math.min(1, bound / norm) * (1 - margin);
    shorter = clip(target).onParticipant(shorter, context);
  }
}

/** Whether a codec leaves so much out that what it left must be added to the next update. */
export function needsFeedback(codec: Codec): boolean {
  return codec === 'top1' || codec === 'top10';
}
