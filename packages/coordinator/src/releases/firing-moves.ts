import { type Channel, CoppiceError, type Json, MAX_EVIDENCE, type Release } from '@coppice/protocol';
import type { StoredFiring } from '../storage/firing-storage.ts';
import type { ReleaseStorage } from '../storage/release-storage.ts';
import { firstCause } from './firing-causes.ts';
import type { Releases } from './releases.ts';

/** Checks that a move was made for a firing. */
export function isMoveOf({ by }: Release, { sequence }: Pick<StoredFiring, 'sequence'>): boolean {
  return by.by === 'trigger' && by.firing === sequence;
}

interface Deps {
  readonly releases: Pick<Releases, 'at' | 'move'>;
  readonly storage: Pick<ReleaseStorage, 'releases'>;
}

const causeOf = (firing: StoredFiring) =>
  ({ by: 'trigger', name: firstCause(firing), firing: firing.sequence }) as const;

/**
 * Lets a channel name a firing's candidate, unless it does already.
 *
 * @returns the channel's last move.
 * @throws CoppiceError `checkpoint-unknown`, `checkpoint-mismatch` where it cannot name it; `release-conflict` where it
 *   was moved at the same moment.
 */
export async function nameCandidate(
  { releases }: Deps,
  firing: StoredFiring,
  channel: Exclude<Channel, 'production'>,
  reason: string,
): Promise<Release> {
  const { task, candidate } = firing;
  const last = await releases.at(task, channel);
  if (last !== null && last.checkpoint === candidate) return last;
  const expected = last?.sequence ?? null;
  return releases.move(task, channel, { checkpoint: candidate, expected, reason, by: causeOf(firing) });
}

/** Empties a channel where the firing's own move was the last. */
export async function emptyChannel(
  { releases }: Deps,
  firing: StoredFiring,
  channel: Exclude<Channel, 'production'>,
  reason: string,
): Promise<void> {
  const last = await releases.at(firing.task, channel);
  if (last === null || last.checkpoint === null || !isMoveOf(last, firing)) return;
  const asked = { checkpoint: null, expected: last.sequence, reason, by: causeOf(firing) };
  await releases.move(firing.task, channel, asked).catch((thrown: unknown) => {
    // An admin was first: the channel is no longer this firing's.
    if (!(thrown instanceof CoppiceError) || thrown.code !== 'release-conflict') throw thrown;
  });
}

/**
 * Moves production to a firing's candidate, once: a move that was made before a restart is found.
 *
 * @throws CoppiceError `release-conflict` where production was moved since the firing began; `checkpoint-unknown`,
 *   `checkpoint-mismatch` where it cannot name the candidate.
 */
export async function release(deps: Deps, firing: StoredFiring, reason: string): Promise<Release> {
  const { task, basis, candidate, comparison, canary } = firing;
  const made = await movesOf(deps, firing);
  if (made !== null) return made;
  const evidence = { firing: firing.sequence, comparison, canary } as unknown as Json;
  return deps.releases.move(task, 'production', {
    checkpoint: candidate,
    expected: basis.sequence,
    reason,
    by: causeOf(firing),
    // The firing has it whole.
    evidence: JSON.stringify(evidence).length <= MAX_EVIDENCE ? evidence : { firing: firing.sequence },
  });
}

/** The move of production that a firing made; null: none. */
async function movesOf({ storage }: Deps, firing: StoredFiring): Promise<Release | null> {
  for (let after = firing.basis.sequence; ; ) {
    const page = await storage.releases(firing.task, { channel: 'production', after });
    const found = page.find((move) => isMoveOf(move, firing));
    if (found !== undefined) return found;
    const last = page.at(-1);
    if (last === undefined) return null;
    after = last.sequence;
  }
}
