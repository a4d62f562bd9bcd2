import type { Plan } from '@coppice/protocol';
import { expect } from 'vitest';
import type { Failpoint } from './failpoints.ts';
import { brokenPromises } from './ledger.ts';
import { committedRounds, finished, startRuns, until } from './world.ts';

export const CLIENTS = 4;

/** Every transition that a round writes down, in the order of a round. */
export const FAILPOINTS: readonly Failpoint[] = [
  { at: 'spool.open:after', nth: 1 },
  { at: 'spool.append:before', nth: 1 },
  { at: 'spool.append:before', nth: 3 },
  { at: 'spool.append:after', nth: 1 },
  { at: 'spool.append:after', nth: 4 },
  { at: 'storage.commit:before', nth: 1 },
  { at: 'storage.commit:after', nth: 1 },
  { at: 'spool.drop:before', nth: 1 },
  { at: 'spool.drop:after', nth: 1 },
  { at: 'storage.appendEvents:before', nth: 2 },
  { at: 'storage.appendEvents:after', nth: 2 },
];

/** Between acknowledgement, commit and notice: state on a device and on the coordinator must agree on what counted. */
export const AROUND_COMMIT: readonly Failpoint[] = [
  { at: 'spool.append:after', nth: 4 },
  { at: 'storage.commit:before', nth: 1 },
  { at: 'storage.commit:after', nth: 1 },
  { at: 'spool.drop:after', nth: 1 },
];

/** What a run may carry from round to round, each with a plan that makes it do so. */
export const plans: readonly { readonly how: string; readonly plan: Partial<Plan> }[] = [
  { how: 'whole and exact', plan: {} },
  {
    how: 'by rounded steps, from the largest of each update and what was left of the one before',
    plan: { uploadCodec: 'top10', downloadCodec: 'int8', downloadForm: 'steps' },
  },
  { how: 'with state on the coordinator', plan: { strategy: 'fedadam' } },
  { how: 'with state on devices, too', plan: { strategy: 'scaffold' } },
  { how: 'from the answers themselves', plan: { strategy: 'median' } },
];

/** Holds a run whose coordinator dies at each of the failpoints against one that nothing disturbs. */
export async function dieAtEach(
  failpoints: readonly Failpoint[],
  plan: Partial<Plan>,
  signal: AbortSignal,
): Promise<void> {
  // Enough rounds for each life to come past its failpoint.
  const rounds = 3 * failpoints.length;
  const undisturbed = await startRuns({ clients: CLIENTS, rounds, plan });
  const expected = await finished(undisturbed, signal);

  const { lives, run } = await startRuns({ clients: CLIENTS, rounds, plan });
  await until(async () => (await committedRounds(lives, run)).length >= 1, signal);
  await lives.death(true);
  for (const failpoint of failpoints) {
    await lives.begin(failpoint);
    await lives.death();
  }
  await lives.begin();
  const ended = await finished({ lives, run }, signal);
  expect(ended.checkpoint).toBe(expected.checkpoint);
  expect(brokenPromises(lives.ledger())).toEqual([]);
  const committed = await committedRounds(lives, run);
  expect(committed.map(({ round }) => round)).toEqual(Array.from({ length: rounds }, (_, i) => i + 1));
  expect(committed.every(({ accepted }) => accepted === CLIENTS)).toBe(true);
}
