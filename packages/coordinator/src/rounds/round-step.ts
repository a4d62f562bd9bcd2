import { roundedStep } from '@coppice/federation';
import { seededRandom } from '@coppice/ports';
import { type Layout, movesBySteps, type Plan } from '@coppice/protocol';
import { hashInSlices, toBytes } from '../storage/blobs.ts';
import { inTurns } from '../turns.ts';
import type { NextModel } from './apply.ts';

/** A round's model, with its encoded step; `null` where models travel whole. */
export interface SteppedModel extends NextModel {
  readonly step: Uint8Array | null;
}

/**
 * After step 6, where models travel as steps: the next model is the one that the quantized step leads to, for the
 * coordinator as for all participants. Runs one slice a turn of the event loop. The same round gives the same step,
 * after a crash, too.
 *
 * @throws CoppiceError `training-diverged` where a weight is not finite.
 */
export async function roundStep(
  next: NextModel,
  { before, layout, plan, round }: { before: Float32Array; layout: Layout; plan: Plan; round: number },
): Promise<SteppedModel> {
  const codec = plan.downloadCodec;
  if (!movesBySteps(plan)) return { ...next, step: null };
  const seed = seededRandom(plan.seed, 'step', round).uint32();
  const { weights, payload } = await inTurns(
    roundedStep(codec, { before, after: next.weights, layout, seed }),
  );
  return { ...next, weights, hash: await hashInSlices(toBytes(weights)), step: payload };
}
