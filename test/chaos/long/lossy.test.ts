import { expect, it, vi } from 'vitest';
import { SIZE, throughBytes, throughMessages, undisturbed } from '../../faults/disturbed.ts';

vi.mock(
  '../../../packages/protocol/src/timeouts.ts',
  async () => (await import('../../faults/hurried-timeouts.ts')).hurried,
);

const SEEDS = Number(process.env.COPPICE_SEEDS ?? 100);
const FIRST = Number(process.env.COPPICE_CHAOS_SEED ?? Date.now() % 100_000);
const AT_ONCE = 8;

it(`${SEEDS} lossy networks leave the model right (COPPICE_CHAOS_SEED=${FIRST})`, {
  timeout: 60 * 60_000,
}, async () => {
  const expected = await undisturbed();
  const seeds = Array.from({ length: SEEDS }, (_, i) => FIRST + i);
  const one = async (seed: number) => {
    const harm = { drop: 0.05, delay: 0.05, duplicate: 0.05, reorder: 0.04, cut: 0.01 };
    const told =
      seed % 4 === 0
        ? await throughBytes(seed)
        : await throughMessages(seed, harm, { least: 1 + (seed % 4) });
    expect(told.checkpoints, `seed ${seed}`).toHaveLength(SIZE.rounds);
    if (told.everybody) expect(told.checkpoints, `seed ${seed}`).toEqual(expected);
  };
  const work = async () => {
    for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) await one(seed);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
});
