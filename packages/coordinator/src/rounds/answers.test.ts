import { CoppiceError, type Progress, type Round } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { evaluateName, trainName } from '../exchanges/tickets.ts';
import { Answers } from './answers.ts';
import { runParts } from './run-parts.testing.ts';

/** The answers of a run with members `a` and `b`, and an open round that asks `a`. */
function answering() {
  const parts = runParts();
  const { state, log, options } = parts;
  const returned: string[] = [];
  const answers = new Answers(state, log, { returned: (id) => void returned.push(id) }, options);
  for (const id of ['a', 'b']) parts.join(id);
  const { open, exchange } = parts.openRound(['a']);
  const ticket = (participant: string, name = exchange.name) => state.tickets.issue(name, participant);
  return { ...parts, answers, returned, open, exchange, ticket };
}

/** The hash of the first model of `runParts`. */
const PARENT = runParts().state.model.hash;

const nameOf = (round: number, attempt: number, parent = PARENT) => trainName({ round, attempt, parent });

const recordOf = (round: number, attempt: number, outcome: Round['outcome'], accepted: readonly string[]) =>
  ({
    run: 'toy-1',
    round,
    attempt,
    outcome,
    parent: PARENT,
    cohort: accepted.map((participant) => ({ participant, outcome: 'accepted', milliseconds: 1 })),
  }) as unknown as Round;

describe('an answer', () => {
  it('reaches the exchange that its ticket names, and shows that its sender is here', async () => {
    const w = answering();
    w.clock.advance(500);
    expect(await w.answers.take('a', w.answerOf('a', w.open, [1, 1, 1]))).toEqual({
      duplicate: false,
      next: null,
    });
    expect(w.exchange.cohort.accepted).toBe(1);
    expect(w.returned).toEqual(['a']);
    expect(w.state.members.get('a')?.lastSeenAt).toBe(1_000_500);
  });

  it('counts for nobody but the participant that the ticket was given to', async () => {
    const w = answering();
    const answer = w.answerOf('a', w.open, [1, 1, 1]);
    await expect(w.answers.take('b', answer)).rejects.toMatchObject({ code: 'ticket-invalid' });
    await expect(w.answers.take('stranger', answer)).rejects.toMatchObject({ code: 'not-joined' });
    expect(w.exchange.cohort.accepted).toBe(0);
  });

  it('to a closed question is acknowledged where it counted in the last round, and late elsewhere', async () => {
    const w = answering();
    const answer = w.answerOf('a', w.open, [1, 1, 1]);
    w.state.exchanges.round = null;
    await expect(w.answers.take('a', answer)).rejects.toMatchObject({ code: 'update-late' });
    w.state.lastRound = recordOf(1, 1, 'committed', ['b']);
    await expect(w.answers.take('a', answer)).rejects.toMatchObject({ code: 'update-late' });
    w.state.lastRound = recordOf(1, 2, 'committed', ['a']);
    await expect(w.answers.take('a', answer)).rejects.toMatchObject({ code: 'update-late' });
    w.state.lastRound = recordOf(1, 1, 'committed', ['a']);
    expect(await w.answers.take('a', answer)).toEqual({ duplicate: true, next: null });
  });

  it('has no piece that is taken once its question is closed', () => {
    const w = answering();
    w.state.exchanges.round = null;
    const piece = { run: 'toy-1', ticket: w.ticket('a'), piece: 0, bytes: new Uint8Array(1) };
    expect(() => w.answers.takePiece('a', piece)).toThrow(expect.objectContaining({ code: 'update-late' }));
  });
});

describe('a decline', () => {
  const decline = (w: ReturnType<typeof answering>, participant: string, reason: 'paused' | 'backend-lost') =>
    w.answers.decline(participant, { run: 'toy-1', ticket: w.ticket(participant), reason });

  it('ends the wait for a member, once, and is logged where it is a failure', () => {
    const w = answering();
    decline(w, 'a', 'backend-lost');
    decline(w, 'a', 'backend-lost');
    expect(w.exchange.cohort.get('a')?.outcome).toBe('declined');
    expect(w.kinds()).toEqual(['update-declined']);
    expect(w.state.members.get('a')?.lastError).toMatchObject({ code: 'backend-lost' });
  });

  it('by choice is no failure', () => {
    const w = answering();
    decline(w, 'a', 'paused');
    expect(w.exchange.cohort.get('a')?.outcome).toBe('declined');
    expect(w.kinds()).toEqual([]);
    expect(w.state.members.get('a')?.lastError).toBeNull();
  });

  it('of a participant that was not asked says nothing', () => {
    const w = answering();
    decline(w, 'b', 'backend-lost');
    expect(w.kinds()).toEqual([]);
    expect(w.state.members.get('b')?.lastError).toBeNull();
  });
});

it('notes the progress of a member that an open question asked, and of no other', () => {
  const w = answering();
  const progress = (ticket: string): Progress => ({
    run: 'toy-1',
    ticket,
    stage: 'training',
    epoch: 1,
    epochs: 2,
    step: 5,
    steps: 10,
    loss: null,
  });
  w.answers.progress('a', progress(w.ticket('a')));
  expect(w.state.members.get('a')?.progress).toBe(0.25);
  w.answers.progress('b', progress(w.ticket('b', 't9-1')));
  expect(w.state.members.get('b')?.progress).toBeNull();
  w.answers.progress('stranger', progress('nonsense'));
  expect(w.told.participants).toBe(1);
});

it('knows of a ticket whether its question is open, and of nonsense that it is none', () => {
  const w = answering();
  expect(w.answers.holdsTicket('a', w.ticket('a'))).toBe(true);
  expect(w.answers.holdsTicket('a', w.ticket('a', 't9-1'))).toBe(false);
  expect(w.answers.holdsTicket('b', w.ticket('a'))).toBe(false);
  expect(w.answers.holdsTicket('a', 'nonsense')).toBe(false);
});

it('says of earlier answers whether they counted in the rounds that the model has behind it', async () => {
  const w = answering();
  const { state, options } = w;
  const { storage } = options;
  for (const round of [
    recordOf(1, 1, 'abandoned', ['a']),
    recordOf(1, 2, 'committed', ['a']),
    // The storage is ahead of the model: it does not count yet.
    recordOf(7, 1, 'committed', ['a']),
  ])
    await storage.putRound(round);
  state.moveOn({ ...state.model, round: 2 }, null, recordOf(2, 1, 'committed', ['b']), {
    packed: { exact: {}, toTrain: {} } as never,
    given: [],
    step: null,
  });
  const { exchange } = w.openRound(['a']);
  const names = [
    exchange.name,
    nameOf(1, 1),
    nameOf(1, 2),
    nameOf(7, 1),
    evaluateName(2, PARENT),
    nameOf(1, 2, 'f'.repeat(64)),
    't1-2',
  ];
  const tickets = names.map((name) => w.ticket('a', name));
  expect(await w.answers.counted('a', tickets)).toEqual([null, false, true, false, false, false, false]);
  await expect(w.answers.counted('b', tickets)).rejects.toMatchObject({ code: 'ticket-invalid' });
});

it('reads one record a ticket at most, and none twice in a row, however many rounds there are', async () => {
  const w = answering();
  const { state, options } = w;
  const { storage } = options;
  for (let round = 1; round <= 300; round++)
    await storage.putRound(recordOf(round, 1, 'committed', round % 2 === 1 ? ['a'] : ['b']));
  state.exchanges.round = null;
  state.moveOn({ ...state.model, round: 300 }, null, recordOf(300, 1, 'committed', ['b']), {
    packed: { exact: {}, toTrain: {} } as never,
    given: [],
    step: null,
  });
  const read: number[] = [];
  const { round: one } = storage;
  storage.rounds = () => Promise.reject(new Error('all rounds are never read here'));
  storage.round = (run, round, attempt) => {
    read.push(round);
    return one(run, round, attempt);
  };
  const of = (...rounds: number[]) => rounds.map((round) => w.ticket('a', nameOf(round, 1)));
  const asked = of(293, 294, 295, 296, 297, 298, 299, 300);
  const expected = [true, false, true, false, true, false, true, false];
  const both = await Promise.all([1, 2].map(() => w.answers.counted('a', asked)));
  expect(both).toEqual([expected, expected]);
  // The last round is at hand.
  expect(read.toSorted()).toEqual([293, 294, 295, 296, 297, 298, 299]);
  expect(await w.answers.counted('a', of(1, 299))).toEqual([true, true]);
  expect(read).toHaveLength(8);
  // One that could not be read is read again.
  storage.round = () => Promise.reject(new CoppiceError('storage-failed', 'A disk.'));
  await expect(w.answers.counted('a', of(7))).rejects.toMatchObject({ code: 'storage-failed' });
  storage.round = one;
  expect(await w.answers.counted('a', of(7))).toEqual([true]);
});
