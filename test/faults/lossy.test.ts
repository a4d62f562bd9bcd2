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

describe('what is lost is made good, whatever it is: nobody is left out', () => {
  it.concurrent.for([
    ['the opening', 'down', /^0\{/],
    ['the hello', 'up', /^40/],
    ['its answer', 'down', /^40/],
    ['the challenge', 'down', /"challenge"/],
    ['the proof', 'up', /"prove"/],
    ['its answer', 'down', /^43.participant,0\[\{"ok":true,"value":null/],
    ['the welcome', 'down', /"welcome"/],
    ['the join', 'up', /"join"/],
    ['its answer', 'down', /"layout"/],
    ['the example count', 'up', /"availability"/],
    ['its answer', 'down', /^43.participant,2\[\{"ok":true,"value":null/],
    ['a question', 'down', /"ask"/],
    ['its model', 'down', /<binary>/],
    ['an answer', 'up', /"answer"/],
    ['its frame', 'up', /<binary>/],
    ['its acknowledgement', 'down', /"duplicate"/],
    ['a round’s end', 'down', /"round-end"/],
    ['the news that the run is over', 'down', /"run-end"|"status":"finished"/],
    ['a heartbeat', 'down', /^2$/],
    ['its answer', 'up', /^3$/],
  ] as const)('%s (%s, %s)', LONG, async ([name, direction, pattern]) => {
    const lost = { direction, pattern, times: 2 };
    // In order; and long enough for a heartbeat, where that is what is to be lost.
    const delay = /^(a heartbeat|its answer)$/.test(name) ? 1 : 0.3;
    const told = await throughMessages(name, { ...harmless, delay }, { least: 4, lost });
    expect(told.counts.drop).toBeGreaterThan(0);
    expect(told.checkpoints).toEqual(expected);
  });
});

describe('20 % of all messages are spoilt, both ways, heartbeats too', () => {
  it.concurrent.for(['drop', 'delay', 'duplicate', 'reorder'] as const)('%s', LONG, async (kind) => {
    const told = await throughMessages(kind, { ...harmless, [kind]: 0.2 }, { least: 2 });
    expect(told.counts[kind]).toBeGreaterThan(0);
    expect(told.checkpoints).toHaveLength(SIZE.rounds);
    if (told.everybody) expect(told.checkpoints).toEqual(expected);
  });

  it.concurrent.for([1, 2, 3])('a mixture, seed %i', LONG, async (seed) => {
    const harm = { drop: 0.05, delay: 0.05, duplicate: 0.05, reorder: 0.04, cut: 0.01 };
    const told = await throughMessages(seed, harm, { least: 4 });
    expect(told.counts.drop).toBeGreaterThan(0);
    expect(told.checkpoints).toHaveLength(SIZE.rounds);
    if (told.everybody) expect(told.checkpoints).toEqual(expected);
  });
});

describe('connections are reset after some bytes', () => {
  it.concurrent.for([1, 2])('seed %i', LONG, async (seed) => {
    const told = await throughBytes(seed);
    expect(told.cuts).toBeGreaterThan(0);
    expect(told.checkpoints).toHaveLength(SIZE.rounds);
    if (told.everybody) expect(told.checkpoints).toEqual(expected);
  });
});
