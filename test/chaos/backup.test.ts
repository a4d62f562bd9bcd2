import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { committedRounds, finished, startRuns, stopAll, until } from './world.ts';

afterEach(stopAll);

it('a backup made while rounds run, restored, goes on from a whole round to the same model', {
  timeout: 240_000,
}, async ({ signal }) => {
  const size = { clients: 4, rounds: 60 };
  const expected = await finished(await startRuns(size), signal);

  const { lives, run } = await startRuns(size);
  const reached = (rounds: number) =>
    until(async () => (await committedRounds(lives, run)).length >= rounds, signal);
  await reached(3);
  const backup = join(lives.folder, 'backup');
  await lives.copy('backup', backup);
  // The coordinator went on while it was copied, and goes on after.
  const then = (await committedRounds(lives, run)).length;
  await reached(Math.min(size.rounds, then + 2));
  await lives.death(true);
  const data = join(lives.folder, 'data');
  rmSync(data, { recursive: true });

  await lives.copy('restore', backup);
  await expect(lives.copy('restore', backup)).rejects.toThrow('config-invalid');
  await lives.begin();
  const after = (await committedRounds(lives, run)).map(({ round }) => round);
  expect(after.length).toBeGreaterThanOrEqual(3);
  expect(after.length).toBeLessThan(size.rounds);
  expect(after.slice(0, 3)).toEqual([1, 2, 3]);
  const ended = await finished({ lives, run }, signal);
  expect(ended.checkpoint).toBe(expected.checkpoint);
  expect((await committedRounds(lives, run)).map(({ round }) => round)).toEqual(
    Array.from({ length: size.rounds }, (_, i) => i + 1),
  );
});
