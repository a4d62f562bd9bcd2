import type { Outcome, Round } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { Attendance, BEYOND_FOR, MEMORY, PAUSE_OF_WAITING, SEVERAL_MISSES } from './attendance.ts';
import { id, leftIn, world } from './run-world.ts';

/** A record of a round by its members: accepted, overtaken, missed at the deadline, declined. */
function roundOf(
  round: number,
  members: Readonly<Record<string, 'accepted' | 'overtaken' | 'missed' | 'declined'>>,
  outcome: Round['outcome'] = 'committed',
): Round {
  return {
    round,
    outcome,
    cohort: Object.entries(members).map(([participant, how]) => ({
      participant,
      outcome: (how === 'overtaken' || how === 'missed' ? 'late' : how) satisfies Outcome,
      milliseconds: null,
      missed: how === 'missed' || how === 'declined',
    })),
  } as unknown as Round;
}

/** The rounds of a world, each once: measurements are added to a record later. */
const roundsOf = (w: { rounds: readonly Round[] }) => [
  ...new Map(w.rounds.map((round) => [round.round, round])).values(),
];

describe('attendance', () => {
  it('puts a participant that misses several rounds in a row beyond the target, for a while', () => {
    const attendance = new Attendance();
    for (let round = 1; round <= SEVERAL_MISSES; round++) {
      expect(attendance.standing('silent', round)).toBe('seat');
      attendance.add(roundOf(round, { silent: round === 2 ? 'declined' : 'missed', here: 'accepted' }));
    }
    const last = SEVERAL_MISSES + BEYOND_FOR;
    for (let round = SEVERAL_MISSES + 1; round <= last; round++)
      expect(attendance.standing('silent', round), `round ${round}`).toBe('beyond');
    expect(attendance.standing('here', 4)).toBe('seat');
    // It has another chance, and one more miss ends it.
    expect(attendance.standing('silent', last + 1)).toBe('seat');
    attendance.add(roundOf(last + 1, { silent: 'missed' }));
    expect(attendance.standing('silent', last + 2)).toBe('beyond');
    attendance.add(roundOf(last + 2, { silent: 'accepted' }));
    expect(attendance.standing('silent', last + 3)).toBe('seat');
    attendance.add(roundOf(last + 3, { silent: 'missed' }));
    expect(attendance.standing('silent', last + 4)).toBe('seat');
  });

  it('forgets misses after many rounds', () => {
    const attendance = new Attendance();
    for (let round = 1; round <= SEVERAL_MISSES; round++) attendance.add(roundOf(round, { a: 'missed' }));
    attendance.add(roundOf(SEVERAL_MISSES + MEMORY, { b: 'accepted' }));
    const next = SEVERAL_MISSES + MEMORY + 1;
    attendance.add(roundOf(next, { a: 'missed' }));
    expect(attendance.standing('a', next + 1)).toBe('seat');
  });

  it('owes the overtaken a seat, until they miss a round that waits for them', () => {
    const attendance = new Attendance([roundOf(1, { slow: 'overtaken', silent: 'overtaken' })]);
    expect(attendance.standing('slow', 2)).toBe('owed');
    expect(attendance.standing('silent', 2)).toBe('owed');
    attendance.add(roundOf(2, { slow: 'accepted', silent: 'missed' }));
    expect(attendance.standing('slow', 3)).toBe('seat');
    attendance.add(roundOf(3, { slow: 'overtaken', silent: 'overtaken' }));
    // After a round that waited in vain, some do not wait.
    for (let round = 4; round <= 2 + PAUSE_OF_WAITING; round++)
      expect(attendance.standing('slow', round)).toBe('seat');
    expect(attendance.standing('slow', 3 + PAUSE_OF_WAITING)).toBe('owed');
    expect(attendance.standing('silent', 3 + PAUSE_OF_WAITING)).toBe('seat');
  });

  it('waits once for a participant that lets a round wait in vain, however often it answers between', () => {
    const attendance = new Attendance();
    const alternating = ['overtaken', 'missed', 'accepted'] as const;
    const owed = { honest: 0, alternating: 0 };
    for (let round = 1; round < MEMORY; round++) {
      for (const one of ['honest', 'alternating'] as const)
        if (attendance.standing(one, round) === 'owed') owed[one]++;
      const at = alternating[(round - 1) % 3] as (typeof alternating)[number];
      attendance.add(roundOf(round, { honest: 'overtaken', alternating: at }));
    }
    expect(owed).toEqual({ honest: MEMORY - 2 - PAUSE_OF_WAITING, alternating: 1 });
    // It is forgotten with its misses.
    const next = MEMORY + 2;
    attendance.add(roundOf(next, { alternating: 'overtaken' }));
    expect(attendance.standing('alternating', next + 1)).toBe('owed');
  });

  it('takes no misses from attempts that were abandoned', () => {
    const attendance = new Attendance();
    for (let attempt = 1; attempt <= 2 * SEVERAL_MISSES; attempt++)
      attendance.add(roundOf(1, { silent: 'missed', slow: 'overtaken', no: 'declined' }, 'abandoned'));
    for (const one of ['silent', 'slow', 'no']) expect(attendance.standing(one, 1)).toBe('seat');
  });
});

describe('a run whose fast participants answer before the others can', () => {
  it('gives slow ones at least half of the part that their number says', async () => {
    const rounds = 60;
    const w = await world({ rounds, cohortSize: 10, overSelection: 1.3, minParticipants: 40 });
    for (let n = 1; n <= 40; n++) w.join(n);
    const isSlow = (participant: string) => participant > id(30);
    await w.engine.act('start');
    for (let round = 0; round < rounds; round++) {
      const asked = [...w.asked()].sort((a, b) => Number(isSlow(a)) - Number(isSlow(b)));
      for (const one of asked) {
        // A round that closed before takes no more.
        await w.engine.answer(one, w.answerOf(one, [0, 0, 0])).catch(() => {});
      }
      await w.settled();
    }
    const accepted = roundsOf(w).flatMap(({ cohort }) =>
      cohort.filter(({ outcome }) => outcome === 'accepted'),
    );
    const share = accepted.filter(({ participant }) => isSlow(participant)).length / accepted.length;
    // A quarter is slow, and has at least half of its share.
    expect(roundsOf(w)).toHaveLength(rounds);
    expect(share).toBeGreaterThan(0.125);
    expect(share).toBeLessThan(0.3);
  });
});

it('commits rounds of participants most of which always decline', async () => {
  const w = await world({ rounds: 8, minParticipants: 3, overSelection: 1, quorum: 0.5 });
  for (let n = 1; n <= 22; n++) w.join(n);
  await w.engine.act('start');
  for (let attempt = 1; attempt <= 11; attempt++) {
    for (const one of w.asked()) {
      const answer = w.answerOf(one, [0, 0, 0]);
      // An attempt is lost as soon as too few are left.
      if (one <= id(10)) await w.engine.answer(one, answer).catch(() => {});
      else w.engine.decline(one, { run: 'toy-1', ticket: answer.ticket, reason: 'paused' });
    }
    await w.settled();
    w.clock.advance(30_000);
  }
  // Each of the first rounds takes a second attempt; then the misses are known.
  expect(roundsOf(w).map(({ round, attempt, outcome }) => [round, attempt, outcome])).toEqual(
    [2, 2, 2, 1, 1, 1, 1, 1].map((attempt, at) => [at + 1, attempt, 'committed']),
  );
});

describe('a run with a silent participant', () => {
  const plan = { rounds: 40, minParticipants: 3, overSelection: 1, deadlineSeconds: 8 } as const;

  /** Everyone but the fourth answers. @returns the rounds that closed without their deadline. */
  async function rounds(w: Awaited<ReturnType<typeof world>>, count: number): Promise<boolean[]> {
    const quick: boolean[] = [];
    for (let n = 0; n < count; n++) {
      for (const one of w.asked()) if (one !== id(4)) await w.engine.answer(one, w.answerOf(one, [0, 0, 0]));
      await w.settled();
      quick.push(roundsOf(w).length > n);
      if (roundsOf(w).length > n) continue;
      w.clock.advance(8000);
      await w.settled();
    }
    return quick;
  }

  it('waits for it several times, then goes on without it, and takes it back when it answers', async () => {
    const w = await world(plan);
    for (let n = 1; n <= 4; n++) w.join(n);
    await w.engine.act('start');
    const quick = await rounds(w, SEVERAL_MISSES + BEYOND_FOR);
    expect(quick).toEqual([...Array(SEVERAL_MISSES).fill(false), ...Array(BEYOND_FOR).fill(true)]);
    expect(roundsOf(w).at(-1)).toMatchObject({ target: 3, accepted: 3 });
    // It is asked all the same.
    const askedLater = roundsOf(w)
      .slice(SEVERAL_MISSES)
      .filter(({ cohort }) => cohort.some(({ participant }) => participant === id(4)));
    expect(askedLater.length).toBeGreaterThan(BEYOND_FOR / 2);
    expect(w.engine.participants([id(4)])).toMatchObject([{ roundsMissed: SEVERAL_MISSES }]);
  });

  it('knows after a restart what it knew, from the records of its rounds', async () => {
    const w = await world(plan);
    for (let n = 1; n <= 4; n++) w.join(n);
    await w.engine.act('start');
    await rounds(w, SEVERAL_MISSES);
    const after = await world(plan, { left: await leftIn(w.storage, w.spool) });
    await after.engine.resumeAfterRestart();
    for (let n = 1; n <= 4; n++) after.join(n);
    expect(after.engine.openRound()).toMatchObject({ round: SEVERAL_MISSES + 1, target: 3 });
  });

  it('takes no misses from a round that a restart of the coordinator interrupted', async () => {
    const w = await world({ ...plan, graceSeconds: 1 });
    for (let n = 1; n <= 4; n++) w.join(n);
    await w.engine.act('start');
    for (const n of [1, 2]) await w.answers(n, [0, 0, 0]);
    const after = await w.restart();
    await after.engine.resumeAfterRestart();
    after.clock.advance(120_000);
    await after.settled();
    const [round] = after.rounds;
    expect(round).toMatchObject({ outcome: 'committed', accepted: 2 });
    expect(round?.cohort.map(({ missed }) => missed)).toEqual([false, false, false, false]);
    expect(after.engine.participants().every(({ roundsMissed }) => roundsMissed === 0)).toBe(true);
  });
});
