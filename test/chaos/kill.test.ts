import { afterEach, describe, expect, it, vi } from 'vitest';
import { AROUND_COMMIT, CLIENTS, dieAtEach, FAILPOINTS, plans } from './kills.ts';
import { brokenPromises } from './ledger.ts';
import { committedRounds, finished, startRuns, stopAll, until } from './world.ts';

// Participants, which live in this process, come back at once.
vi.mock('../../packages/protocol/src/timeouts.ts', async (original) => ({
  ...(await original<object>()),
  ...(await import('./quick-returns.ts')).quickReturns,
}));

afterEach(stopAll);

/* Every plan at every step: test/chaos/long/kill.test.ts. */
describe('a coordinator that is killed (SIGKILL)', () => {
  it.for(plans.map((one, at) => ({ ...one, failpoints: at === 0 ? FAILPOINTS : AROUND_COMMIT })))(
    'at steps of a round, makes the model it would have made, $how',
    { timeout: 240_000 },
    ({ plan, failpoints }, { signal }) => dieAtEach(failpoints, plan, signal),
  );
});

describe('a coordinator that is asked to stop (SIGTERM)', () => {
  it('parks the open round, ends by itself, and the next one goes on', { timeout: 120_000 }, async ({
    signal,
  }) => {
    const rounds = 60;
    const undisturbed = await startRuns({ clients: CLIENTS, rounds });
    const expected = await finished(undisturbed, signal);

    const { lives, run } = await startRuns({ clients: CLIENTS, rounds });
    for (const wanted of [3, 20, 40]) {
      await until(async () => (await committedRounds(lives, run)).length >= wanted, signal);
      expect(await lives.stop()).toBe(0);
      await lives.begin();
    }
    const ended = await finished({ lives, run }, signal);
    expect(ended.checkpoint).toBe(expected.checkpoint);
    expect(brokenPromises(lives.ledger())).toEqual([]);
    expect((await committedRounds(lives, run)).every(({ attempt }) => attempt === 1)).toBe(true);
  });
});
