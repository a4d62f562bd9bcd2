import { ManualClock } from '@coppice/ports';
import { CoppiceError, GRACE_AFTER_RESTART } from '@coppice/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memorySpool } from '../storage/memory-spool.ts';
import { recount, spooledRound, timesAfterRestart } from './recover-round.ts';
import { runParts } from './run-parts.testing.ts';

describe('the round that an earlier process left', () => {
  const left = async (opening: Parameters<ReturnType<typeof runParts>['openRound']>[1]) => {
    const { state, log, options, openRound } = runParts({}, { attempt: 2 });
    openRound(['a'], { attempt: 2, ...opening });
    const spooled = await spooledRound(state, options, log);
    return { spooled, kept: await options.spool.recover('toy-1') };
  };

  it('goes on where it follows the current model', async () => {
    const { spooled, kept } = await left({ attempt: 3 });
    expect(spooled?.opening).toMatchObject({ round: 1, attempt: 3 });
    expect(kept).not.toBeNull();
  });

  it.each([
    ['of a round that is committed', { round: 0 }],
    ['of a later round', { round: 2 }],
    ['of an attempt whose end is recorded', { attempt: 1 }],
    ['of another model', { parent: 'f'.repeat(64) }],
  ])('is forgotten where it is one %s', async (_, opening) => {
    expect(await left(opening)).toEqual({ spooled: null, kept: null });
  });

  it('is forgotten where the run is over', async () => {
    const { state, log, options, openRound } = runParts();
    openRound(['a']);
    state.record = { ...state.record, status: 'stopped' };
    expect(await spooledRound(state, options, log)).toBeNull();
    expect(await options.spool.recover('toy-1')).toBeNull();
  });

  it('begins anew where it cannot be read, and where the medium fails the run does not go on', async () => {
    const { state, log, kinds } = runParts();
    const failing = (code: 'storage-corrupt' | 'storage-failed') => ({
      ...memorySpool(),
      recover: () => Promise.reject(new CoppiceError(code, 'A disk.')),
    });
    expect(await spooledRound(state, { spool: failing('storage-corrupt'), attempt: 1 }, log)).toBeNull();
    expect(kinds()).toEqual(['spool-damaged']);
    await expect(
      spooledRound(state, { spool: failing('storage-failed'), attempt: 1 }, log),
    ).rejects.toMatchObject({
      code: 'storage-failed',
    });
  });
});

describe('the deadline of a round after a restart', () => {
  const plan = { deadlineSeconds: 600, graceSeconds: 10 };

  it('is what the earlier process left of it, by the date', () => {
    const clock = new ManualClock(1_000_000);
    const times = timesAfterRestart({ startedAt: 900_000 } as never, plan, clock);
    expect(times).toEqual({
      begin: 'away',
      beganAt: 900_000,
      dueAt: 1_500_000,
      grace: Math.max(10_000, GRACE_AFTER_RESTART),
    });
  });

  it('is neither further than a whole one nor nearer than the grace, however the date was set', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 1e12 }), (startedAt) => {
        const clock = new ManualClock(5000);
        const { beganAt, dueAt, grace } = timesAfterRestart({ startedAt } as never, plan, clock);
        expect(dueAt - clock.elapsed()).toBeGreaterThanOrEqual(grace);
        expect(dueAt - clock.elapsed()).toBeLessThanOrEqual(600_000);
        expect(beganAt).toBeLessThanOrEqual(clock.elapsed());
      }),
    );
  });
});

it('counts again what can be read, and asks the senders of the rest again', async () => {
  const { log, openRound, answerOf, events } = runParts();
  const { open, exchange } = openRound(['a', 'b', 'c']);
  const damaged = answerOf('b', open, [1, 1, 1]);
  const frame = Uint8Array.from(damaged.frame as Uint8Array);
  frame[frame.length - 1] = (frame.at(-1) as number) ^ 1;
  const spooled = {
    opening: open.opening,
    damage: new CoppiceError('storage-corrupt', 'The end is cut off.'),
    async *answers() {
      yield { participant: 'a', answer: answerOf('a', open, [1, 1, 1]) };
      yield { participant: 'b', answer: { ...damaged, frame } };
      yield { participant: 'c', answer: answerOf('c', open, [1, 1, 1]) };
    },
  };
  await recount(spooled, exchange, log);
  expect([...exchange.cohort.entries()].map(([id, { outcome }]) => [id, outcome])).toEqual([
    ['a', 'accepted'],
    ['b', 'asked'],
    ['c', 'accepted'],
  ]);
  expect(events).toMatchObject([
    { kind: 'spool-damaged', data: { code: 'storage-corrupt' } },
    { kind: 'spool-damaged', data: { code: 'frame-invalid' }, round: 1 },
  ]);
});
