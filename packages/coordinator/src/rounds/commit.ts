import { checkpointId, type Metrics, type Round } from '@coppice/protocol';
import type { Measured, RunRecord, Storage } from '../storage/storage.ts';
import type { NextModel } from './apply.ts';
import type { Audience } from './audience.ts';
import { type OpenRound, toRecord } from './open-round.ts';

/**
 * Step 8: makes round, checkpoint and strategy state durable together, with the run's record where the round ends the
 * run, and with what its participants measured of the model before.
 */
export async function commit(
  storage: Storage,
  open: OpenRound,
  next: NextModel,
  {
    run,
    task,
    central,
    audience,
    now,
    ended,
    measured = null,
  }: {
    run: RunRecord | null;
    task: string;
    central: Metrics | null;
    audience: Pick<Audience, 'bytes'>;
    now: number;
    ended: number;
    measured?: Measured | null;
  },
): Promise<Round> {
  const round = toRecord(open, audience, {
    outcome: 'committed',
    reason: null,
    ended,
    central,
    checkpoint: next.hash,
  });
  await storage.commit({
    run,
    round,
    measured,
    model: {
      weights: next.weights,
      state: next.state,
      checkpoint: {
        hash: next.hash,
        run: open.opening.run,
        task,
        round: open.opening.round,
        parent: checkpointId(open.opening.run, open.opening.round - 1),
        createdAt: now,
        central,
        federated: null,
        parameters: next.weights.length,
      },
    },
  });
  return round;
}
