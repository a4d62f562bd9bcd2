import { beforeAll, describe, expect, it, vi } from 'vitest';
import { SIZE, throughBytes, throughMessages, undisturbed } from './disturbed.ts';
import { harmless } from './lossy-proxy.ts';

// The system's own timeouts in their proportions, fifty times as fast.
vi.mock(
  '../../packages/protocol/src/timeouts.ts',
  async () => (await import('./hurried-timeouts.ts')).hurried,
);

/*
 * Honest participants, the product's own, behind something that spoils what they say and hear. However bad it
 * is: every round ends, everybody learns of the run's end, the model is what the accepted updates make of it, to
 * the bit, and nothing is counted twice. More seeds: test/chaos/long/lossy.test.ts.
 */
/** Nothing here waits for a clock, but every lost answer costs its timeout. */
const LONG = { timeout: 240_000 };
let expected: readonly string[] = [];
beforeAll(async () => {
  expected = await undisturbed();
});

it('a proxy that spoils nothing changes nothing', async () => {
  const { checkpoints, counts } = await throughMessages('none', harmless, { least: 4 });
  expect(checkpoints).toEqual(expected);
  expect(counts).toMatchObject({ drop: 0, delay: 0, duplicate: 0, reorder: 0, cut: 0 });
});

describe('20 % of all messages are spoilt, both ways, heartbeats too', () => {
  it.concurrent.for(['drop', 'delay', 'duplicate', 'reorder'] as const)('%s', LONG, async (kind) => {
    const told = await throughMessages(kind, { ...harmless, [kind]: 0.2 }, { least: 2 });
    expect(told.counts[kind]).toBeGreaterThan(0);
    expect(told.checkpoints).toHaveLength(SIZE.rounds);
    if (told.everybody) expect(told.checkpoints).toEqual(expected);
  });

  it.concurrent.for([1, 2, 3, 4])('a mixture, seed %i', LONG, async (seed) => {
    const harm = { drop: 0.05, delay: 0.05, duplicate: 0.05, reorder: 0.04, cut: 0.01 };
    const told = await throughMessages(seed, harm, { least: 4 });
    expect(told.counts.drop).toBeGreaterThan(0);
    expect(told.checkpoints).toHaveLength(SIZE.rounds);
    if (told.everybody) expect(told.checkpoints).toEqual(expected);
  });
});

describe('connections are reset after some bytes', () => {
  it.concurrent.for([1, 2, 3])('seed %i', LONG, async (seed) => {
    const told = await throughBytes(seed);
    expect(told.cuts).toBeGreaterThan(0);
    expect(told.checkpoints).toHaveLength(SIZE.rounds);
    if (told.everybody) expect(told.checkpoints).toEqual(expected);
  });
});
