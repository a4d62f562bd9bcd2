import { CoppiceError } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { commit } from './commit.ts';
import { makeModel } from './make-model.ts';
import { RoundOutcomes } from './round-outcomes.ts';
import { RoundPhase } from './round-phase.ts';
import { runParts } from './run-parts.testing.ts';
import { launch } from './run-world.ts';

const going = () => false;

/** A round in collection, with members `a` and `b`; `c` has joined, and was not asked. */
function collecting() {
  const parts = runParts({ rounds: 9 });
  const { state, options, log } = parts;
  const phase = new RoundPhase(state, options);
  for (const id of ['a', 'b', 'c']) parts.join(id);
  phase.step('begin');
  phase.step('enough');
  const { open, exchange } = parts.openRound(['a', 'b']);
  phase.step('selected');
  phase.step('distributed');
  const outcomes = new RoundOutcomes(state, log, phase, options);
  const ends = () =>
    parts.messages('round-end').map(({ to, message }) => ({ to, ...(message as { you: string }) }));
  return { ...parts, phase, open, exchange, outcomes, ends };
}

describe('an abandoned round', () => {
  it('leaves the model as it was, and is recorded and told with its reason', async () => {
    const w = collecting();
    const before = w.state.model;
    const reason = await w.outcomes.abandoned(
      w.open,
      new CoppiceError('quorum-lost', 'Too few came.'),
      going,
    );
    expect(reason).toMatchObject({ code: 'quorum-lost' });
    expect(w.state.model).toBe(before);
    expect(w.state.exchanges.round).toBeNull();
    expect(w.open.over.signal.aborted).toBe(true);
    expect(w.exchange.isClosed).toBe(true);
    expect(w.phase.now).toBe('idle');
    expect(await w.options.storage.rounds('toy-1')).toMatchObject([{ outcome: 'abandoned', reason }]);
    expect(await w.options.spool.recover('toy-1')).toBeNull();
    expect(w.rounds.at(-1)).toMatchObject({ outcome: 'abandoned' });
    expect(w.events).toMatchObject([{ kind: 'round-abandoned', round: 1, data: { code: 'quorum-lost' } }]);
    expect(w.ends()).toMatchObject([
      { to: ['a', 'b'], you: 'late', outcome: 'abandoned', checkpoint: before.hash },
      { to: ['c'], you: null },
    ]);
    // A round that came to nothing says nothing of its members.
    expect(w.state.members.get('a')?.roundsMissed).toBe(0);
  });

  it.each([
    ['quorum-lost', 'beyond'],
    ['storage-failed', 'seat'],
  ] as const)('with %s gives members that declined a %s in further attempts', async (code, standing) => {
    const w = collecting();
    w.exchange.out('b', 'declined');
    await w.outcomes.abandoned(w.open, new CoppiceError(code, 'No.'), going);
    expect(w.state.attendance.standing('a', 1)).toBe('seat');
    expect(w.state.attendance.standing('b', 1)).toBe(standing);
  });

  it('does not hold against members that their training diverged', async () => {
    const w = collecting();
    w.exchange.out('b', 'declined', true);
    await w.outcomes.abandoned(w.open, new CoppiceError('quorum-lost', 'No.'), going);
    expect(w.state.attendance.standing('b', 1)).toBe('seat');
  });

  it('is recorded, then forgotten by the spool, and then told', async () => {
    const w = collecting();
    const { storage, spool } = w.options;
    const order: string[] = [];
    const { putRound } = storage;
    const { drop } = spool;
    const before = () => `${w.ends().length} told, ${w.phase.now}`;
    storage.putRound = async (round) => {
      order.push(`record: ${before()}`);
      await putRound(round);
    };
    spool.drop = async (run) => {
      order.push(`spool: ${before()}, ${(await storage.rounds(run)).length} recorded`);
      await drop(run);
    };
    await w.outcomes.abandoned(w.open, new CoppiceError('quorum-lost', 'No.'), going);
    expect(order).toEqual(['record: 0 told, collect', 'spool: 0 told, collect, 1 recorded']);
    expect(before()).toBe('2 told, idle');
  });

  it('is told by nobody where the process ends before it is stored', async () => {
    const w = collecting();
    let closed = false;
    const { putRound } = w.options.storage;
    w.options.storage.putRound = async (round) => {
      await putRound(round);
      closed = true;
    };
    const reason = await w.outcomes.abandoned(w.open, new CoppiceError('quorum-lost', 'No.'), () => closed);
    expect([reason, w.ends(), w.kinds()]).toEqual([null, [], []]);
  });

  it('ends also where neither its record nor its spool can be changed, which is logged', async () => {
    const w = collecting();
    w.options.spool.drop = () => Promise.reject(new CoppiceError('storage-failed', 'A broken disk.'));
    w.options.storage.putRound = () => Promise.reject(new CoppiceError('storage-full', 'A full disk.'));
    await w.outcomes.abandoned(w.open, new CoppiceError('quorum-lost', 'No.'), going);
    expect(w.phase.now).toBe('idle');
    expect(w.kinds()).toEqual(['round-abandoned', 'storage-failed', 'storage-failed']);
  });
});

it('a committed round makes its model the current one, and tells each what became of its answer', async () => {
  const w = collecting();
  const { options, state, open } = w;
  await launch(options.storage, { rounds: 9 });
  await w.exchange.take('a', w.answerOf('a', open, [1, 1, 1]));
  w.exchange.endNow();
  w.clock.advance(60_000);
  w.phase.step('collected');
  const made = await makeModel(open, state, w.phase, options);
  const round = await commit(options.storage, open, made.next, {
    run: null,
    task: 'toy',
    central: made.central,
    audience: options.audience,
    now: w.clock.now(),
    ended: w.clock.elapsed(),
  });
  w.outcomes.committed(open, made, round);
  expect(state.model).toMatchObject({ round: 1, hash: made.next.hash });
  expect([...state.model.weights]).toEqual([2, 3, 4]);
  expect(state.lastRound).toBe(round);
  expect(state.exchanges.round).toBeNull();
  expect(open.over.signal.aborted).toBe(true);
  expect(w.phase.now).toBe('idle');
  expect(await options.spool.recover('toy-1')).toBeNull();
  expect(w.ends()).toMatchObject([
    { to: ['a'], you: 'accepted', outcome: 'committed', checkpoint: made.next.hash },
    { to: ['b'], you: 'late' },
    { to: ['c'], you: null },
  ]);
  expect(w.events).toMatchObject([{ kind: 'round-committed', round: 1, data: { accepted: 1, asked: 2 } }]);
});
