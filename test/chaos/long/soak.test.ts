import { expect, it } from 'vitest';
import { growth, soak } from '../../load/soak.ts';

/**
 * Bytes a round, by a line through what is left after garbage collection. Whatever is kept of each of 50
 * participants a round, or of each of their updates, is more than this.
 */
const HEAP = 5 * 1024;
const EXTERNAL = 1024;

it('keeps its memory flat through 200 rounds, once the engine has compiled what it will', {
  timeout: 30 * 60_000,
}, async () => {
  const samples = await soak({ participants: 50, rounds: 300, warmUp: 100, every: 10, task: 'iris' });
  expect(samples.at(-1)?.round).toBe(300);
  expect(growth(samples, 'heap')).toBeLessThan(HEAP);
  expect(growth(samples, 'external')).toBeLessThan(EXTERNAL);
});
