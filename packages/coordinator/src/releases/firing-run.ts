import type { Policy } from '@coppice/continuity';
import type { Clock } from '@coppice/ports';
import { CoppiceError, type Plan, type Run } from '@coppice/protocol';
import { outward } from '../outward.ts';
import type { Runs } from '../registry/runs.ts';
import type { StoredFiring } from '../storage/firing-storage.ts';
import type { Storage } from '../storage/storage.ts';
import { costOf } from './firing-evidence.ts';
import type { FiringEvidence } from './firing-machine.ts';

const HOUR = 3_600_000;

/** The periods without a round after which a run is stopped, where the trigger states none. */
const DEFAULT_STALL = 3;

export interface RunLookDeps {
  readonly storage: Pick<Storage, 'rounds' | 'latestOfRun'>;
  readonly runs: Pick<Runs, 'get' | 'has'>;
  readonly clock: Clock;
  /** The time of `clock.elapsed()` at which this process began: devices need a while to come back. */
  readonly began: number;
}

/** What a run tells its firing: evidence or, of a run that trains, the time of the next look, milliseconds since 1970. */
export type RunLook =
  | { readonly evidence: FiringEvidence; readonly again: null }
  | { readonly evidence: null; readonly again: number | null };

/** Looks at the run that a firing waits for: whether it has ended, is paused, or makes no rounds any more. */
export async function lookAtRun(deps: RunLookDeps, firing: StoredFiring, id: string): Promise<RunLook> {
  const { runs, storage } = deps;
  const found = (evidence: FiringEvidence) => ({ evidence, again: null });
  if (!runs.has(id)) return found({ kind: 'run-ended' });
  const { status, reason, plan } = runs.get(id);
  switch (status) {
    case 'stopped':
    case 'failed':
      return found({ kind: 'run-ended' });
    case 'finished': {
      const last = await storage.latestOfRun(id);
      return found({
        kind: 'run-finished',
        candidate: last === null ? null : { id: last.id, hash: last.hash },
        spent: costOf(await storage.rounds(id)),
      });
    }
    case 'paused':
      if (reason !== null) return found({ kind: 'run-paused' });
      // A pause by an admin has no reason: the run goes on when the admin resumes it.
      return firing.waitsSince === null
        ? { evidence: null, again: null }
        : found({ kind: 'run-awaited', since: null });
    default:
      return lookForRound(deps, firing, id, plan);
  }
}

/** Whether the next round has been waited for too long. Rounds are looked for when it would be, and not before. */
async function lookForRound(
  { storage, clock, began }: RunLookDeps,
  { waitsSince, rules }: StoredFiring,
  id: string,
  plan: Plan,
): Promise<RunLook> {
  const now = clock.now();
  // The date may be set back.
  if (waitsSince === null || waitsSince > now)
    return { evidence: { kind: 'run-awaited', since: now }, again: null };
  const again = Math.max(waitsSince + longestWait(rules, plan), now + began + HOUR - clock.elapsed());
  if (now < again) return { evidence: null, again };
  const newest = Math.min(now, (await storage.latestOfRun(id))?.createdAt ?? 0);
  if (newest <= waitsSince) return { evidence: { kind: 'run-stalled' }, again: null };
  return { evidence: { kind: 'run-awaited', since: newest }, again: null };
}

/** The milliseconds for which a launch is tried and a round is waited for: an hour and two deadlines of a round at least. */
export function longestWait(
  { trigger, periodMilliseconds }: Pick<Policy, 'trigger' | 'periodMilliseconds'>,
  { deadlineSeconds }: Pick<Plan, 'deadlineSeconds'> = { deadlineSeconds: 0 },
): number {
  const periods = trigger?.stall ?? DEFAULT_STALL;
  return Math.max(HOUR, periods * periodMilliseconds, 2000 * deadlineSeconds);
}

/** Stops a run that its firing does not wait for any more, with the reason. */
export async function giveUpRun(
  runs: Pick<Runs, 'giveUp'>,
  { task, sequence, ending }: StoredFiring,
  { id, reason }: Run,
): Promise<void> {
  const why =
    ending === 'run-paused'
      ? `the coordinator had paused it${reason === null ? '' : ` (${outward(reason).message})`}`
      : ending === 'run-stalled'
        ? 'it made no round for too long: too few devices joined, or their answers came too late'
        : 'it could not be started';
  await runs.giveUp(
    id,
    new CoppiceError(
      'run-given-up',
      `The run was stopped, since the firing ${sequence} of "${task}" ended: ${why}. The trigger fires again after its cool-down.`,
    ),
  );
}
