import { seededRandom, uniform } from '@coppice/ports';
import { describe, expect, it } from 'vitest';
import { brokenPromises } from '../ledger.ts';
import { committedRounds, finished, startRuns, stopAll } from '../world.ts';

const CLIENTS = 4;
const KILLS = Number(process.env.COPPICE_KILLS ?? 100);
/** So many rounds that the run outlasts the kills. */
const ROUNDS = 20 * KILLS;
const SEED = Number(process.env.COPPICE_CHAOS_SEED ?? Date.now() % 100_000);

describe('a coordinator that is killed at random', () => {
  it(`${KILLS} times, loses nothing (COPPICE_CHAOS_SEED=${SEED})`, { timeout: 60 * 60_000 }, async ({
    signal,
    onTestFinished,
  }) => {
    onTestFinished(stopAll);
    const undisturbed = await startRuns({ clients: CLIENTS, rounds: ROUNDS });
    const expected = await finished(undisturbed, signal);

    const { lives, run } = await startRuns({ clients: CLIENTS, rounds: ROUNDS });
    const random = seededRandom('kills', SEED);
    await lives.death(true);
    for (let kill = 1; kill <= KILLS; kill++) {
      // Every fourth dies while it starts; the others some updates into their work.
      const dying =
        kill % 4 === 0
          ? lives.begin(null, { killAfter: uniform(random) * 1500 })
          : lives.begin({
              at: 'spool.append:before',
              nth: 1 + Math.floor(uniform(random) * 24),
              delay: uniform(random) * 30,
            });
      await dying;
      await lives.death();
      expect(brokenPromises(lives.ledger())).toEqual([]);
    }
    await lives.begin();
    const ended = await finished({ lives, run }, signal);
    expect(ended.checkpoint).toBe(expected.checkpoint);
    const committed = await committedRounds(lives, run);
    expect(committed.map(({ round }) => round)).toEqual(Array.from({ length: ROUNDS }, (_, i) => i + 1));
    expect(committed.every(({ accepted }) => accepted === CLIENTS)).toBe(true);
  });
});
