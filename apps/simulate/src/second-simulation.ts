import { createHash } from 'node:crypto';
import { headlessIdentity } from '@coppice/participant/node';
import type { CoordinatorLink } from './coordinator-link.ts';
import { type SimulateOptions, UsageError } from './options.ts';

/**
 * Refuses a simulation whose first client is connected already: another one with the same seed, whose clients are the
 * same participants.
 *
 * @throws UsageError naming the seed and the run.
 */
export async function refuseSecond(link: CoordinatorLink, { plan }: SimulateOptions): Promise<void> {
  const key = Buffer.from(headlessIdentity(`simulated/${plan.seed}/0`).key, 'base64url');
  const first = createHash('sha256').update(key).digest('hex').slice(0, 32);
  const runs = (await link.runs()).filter(
    ({ status }) => !['finished', 'stopped', 'failed'].includes(status),
  );
  for (const { id: run } of runs) {
    const participants = await link.participantsOf(run);
    if (!participants.some(({ id, state }) => id === first && state !== 'away' && state !== 'left')) continue;
    throw new UsageError(
      `--seed N: another simulation with seed ${plan.seed} is connected to that coordinator, in the run ${run}, and its clients are the same participants. Use another --seed.`,
    );
  }
}
