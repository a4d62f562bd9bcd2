import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { consentVersion, largestNorm, MINIMUM_COUNT } from '@coppice/continuity';
import { ManualClock } from '@coppice/ports';
import { CoppiceError } from '@coppice/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileSpool } from '../storage/file-spool.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import type { Spool } from '../storage/spool.ts';
import { TaskOffers } from './offers.ts';
import { nextPeriod } from './period.ts';
import { binning, drawReport, reportAnswer } from './report.testing.ts';
import { reportForm } from './report-form.ts';
import { type ClosedPeriod, type PeriodQuestion, STORAGE_RETRY, TaskWatch } from './task-watch.ts';

const DAY = 24 * 3600 * 1000;
const EPOCH = 100 * DAY;
/** The exchange that none follows. */
const LAST = 40;
const consent = consentVersion({ binning, periodMilliseconds: DAY, minimum: MINIMUM_COUNT });
const claim = { consent, recipe: binning.recipe };
const unread = { sums: null, noise: 0, spending: null };
const counted = { duplicate: false, next: null };
const code = (expected: string) => expect.objectContaining({ code: expected });

let folder: string;
let clock: ManualClock;
/** Watches that were started, to be ended. */
let watches: { watch: TaskWatch; spool: Spool }[];
/** All that the coordinator keeps, whatever process asked for it. */
let asked: [string, PeriodQuestion][];
let stored: ClosedPeriod[];
let failures: string[];
/** Exchanges whose end is told to have been stored by an earlier process. */
let again: number[];
let refused: Set<string>;
let seeds: number;
/** Turns of the event loop until now, and the turn of each question. */
let turn: number;
let turns: number[];
/** Rejects in place of storing. */
let refusesToStore: boolean;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'coppice-watch-'));
  clock = new ManualClock(EPOCH);
  watches = [];
  asked = [];
  stored = [];
  failures = [];
  again = [];
  seeds = 0;
  turn = 0;
  turns = [];
  refused = new Set();
  refusesToStore = false;
});
afterEach(async () => {
  for (const { watch, spool } of watches) {
    await watch.stop();
    await spool.close();
  }
  rmSync(folder, { recursive: true });
});

const admissions = {
  refusal: (participant: string) =>
    refused.has(participant) ? new CoppiceError('run-not-admitted', 'Not on the list.') : null,
};

/** A watch with the offers of its process. */
interface Started {
  readonly watch: TaskWatch;
  readonly offers: TaskOffers;
  comes(participant: string): void;
}

/** A process that knows what is in the folder and what was stored. */
async function started({
  at = clock,
  spool = fileSpool(folder),
  under = consent,
  of = binning,
  rho = null as number | null,
  models = [] as string[],
} = {}): Promise<Started> {
  const offers = new TaskOffers({ admissions, newSecret: () => 'secret', tell: () => {} });
  offers.asks('toy', claim);
  const watch = new TaskWatch({
    task: 'toy',
    kind: 'report',
    form: reportForm('report', of, MINIMUM_COUNT),
    models,
    consent: under,
    quorum: 2,
    rho,
    affords: async () => true,
    newSecret: () => `seed ${++seeds} of 128 bits or more`,
    next: async (lastClosed) => nextPeriod(at.now(), { epoch: EPOCH, length: DAY }, lastClosed),
    lastClosed: stored.at(-1)?.period ?? null,
    secret: 'a secret of the task',
    admissions,
    offers,
    spool,
    clock: at,
    ask: (participant, question) => {
      asked.push([participant, question]);
      turns.push(turn);
    },
    closed: async (period) => {
      if (refusesToStore) throw new CoppiceError('storage-failed', 'The disk is full.');
      stored.push(period);
      return period.period < LAST;
    },
    wasClosed: async (period) => void again.push(period),
    failed: (error) => void failures.push(error.code),
  });
  watches.push({ watch, spool });
  await watch.start();
  return { watch, offers, comes: (participant) => offers.comes('toy', participant, claim) };
}

/** The last question to a participant. */
const questionTo = (participant: string) => asked.findLast(([to]) => to === participant)?.[1];
const report = ({ watch }: Started, participant: string, numbers = drawReport(participant)) =>
  watch.take(participant, reportAnswer(numbers, binning, questionTo(participant)?.ticket));
const both = async (watch: Started, some: readonly string[]) => {
  for (const participant of some) {
    watch.comes(participant);
    expect(await report(watch, participant)).toEqual(counted);
  }
};
/** The sum of the numbers of reports, in float64: exact, since their units are powers of two. */
function totalOf(participants: readonly string[]): number[] {
  const reports = participants.map((participant) => drawReport(participant));
  return [...(reports[0] as Float32Array)].map((_, i) =>
    reports.reduce((sum, numbers) => sum + (numbers[i] as number), 0),
  );
}
const numbersOf = (period: ClosedPeriod | undefined) =>
  [...(period?.sums?.values() ?? [])].flatMap((values) => [...values]);
const spooled = () => readdirSync(folder);

describe("a task's watch", () => {
  it('asks each period those that report, counts the first report of each, and erases reports at the end', async () => {
    const watch = await started();
    await both(watch, ['a', 'b']);
    expect(questionTo('a')).toMatchObject({ period: 0, remaining: DAY });
    expect(await report(watch, 'a', drawReport('again'))).toEqual({ duplicate: true, next: null });
    // Asked again where it connects anew, but not for what counted.
    watch.offers.goes('a');
    watch.comes('a');
    watch.comes('c');
    watch.comes('c');
    expect(asked.map(([to]) => to)).toEqual(['a', 'b', 'c', 'c']);
    const late = questionTo('c');
    watch.offers.goes('b');
    clock.advance(DAY);
    await expect.poll(() => asked.length).toBe(6);
    expect(stored).toMatchObject([{ period: 0, startedAt: EPOCH, reports: 2 }]);
    expect(numbersOf(stored[0])).toEqual(totalOf(['a', 'b']));
    // Those that are still here are asked for the next; a report for the last one counts no more.
    expect(asked.slice(4)).toMatchObject([
      ['a', { period: 1 }],
      ['c', { period: 1 }],
    ]);
    const tooLate = reportAnswer(drawReport('c'), binning, late?.ticket);
    await expect(watch.watch.take('c', tooLate)).rejects.toEqual(code('update-late'));
    expect(await report(watch, 'c')).toEqual(counted);
    // One report alone is looked at by nobody, and erased as well.
    clock.advance(DAY);
    await expect.poll(() => asked.length).toBe(8);
    expect(stored[1]).toEqual({
      period: 1,
      startedAt: EPOCH + DAY,
      endedAt: EPOCH + 2 * DAY,
      reports: 1,
      ...unread,
    });
    expect(failures).toEqual([]);
  });

  it('asks many participants once each, a part a turn of the event loop', async () => {
    const watch = await started();
    const many = Array.from({ length: 900 }, (_, i) => `device ${i}`);
    for (const device of many) watch.comes(device);
    asked = [];
    turns = [];
    let isOver = false;
    const count = () => {
      turn++;
      if (!isOver) setImmediate(count);
    };
    count();
    clock.advance(DAY);
    await expect.poll(() => asked.length).toBe(many.length);
    isOver = true;
    expect(asked.map(([to]) => to)).toEqual(many);
    const most = Math.max(...[...Map.groupBy(turns, (one) => one).values()].map((some) => some.length));
    expect(most).toBeLessThanOrEqual(many.length / 2);
  });

  it('keeps nothing of a report on disk once its period is over', async () => {
    const watch = await started();
    await both(watch, ['a', 'b']);
    expect(spooled()).toEqual(['report.toy.spool']);
    clock.advance(DAY);
    await expect.poll(() => asked.length).toBe(4);
    await watch.watch.stop();
    const next = await started();
    // Only the opening of the next period is there, with no answer.
    next.comes('z');
    clock.advance(DAY);
    await expect.poll(() => stored.length).toBe(2);
    expect(stored[1]).toMatchObject({ period: 1, reports: 0 });
  });

  it('refuses by name a ticket of another, a participant that is not admitted any more, and other bins', async () => {
    const watch = await started();
    watch.comes('b');
    watch.comes('c');
    const ticket = questionTo('b')?.ticket;
    const stolen = reportAnswer(drawReport('c'), binning, ticket);
    await expect(watch.watch.take('c', stolen)).rejects.toEqual(code('ticket-invalid'));
    const other = { ...binning, recipe: 'cd'.repeat(32) };
    const foreign = reportAnswer(drawReport('b', { of: other }), other, ticket);
    await expect(watch.watch.take('b', foreign)).rejects.toEqual(code('report-mismatch'));
    // Taken off the list meanwhile.
    refused.add('c');
    await expect(report(watch, 'c')).rejects.toEqual(code('run-not-admitted'));
    // Its sender has counted anew.
    expect(await report(watch, 'b')).toEqual(counted);
    clock.advance(DAY);
    await expect.poll(() => stored.length).toBe(1);
    await expect.poll(() => asked.length).toBe(3);
  });

  it.each([
    ['under another consent', { under: 'ef'.repeat(32) }],
    ['without noise, where it is now promised', { rho: 0.5 }],
    ['about other models', { models: ['ab'.repeat(32)] }],
    ['with other bins', { of: { ...binning, columns: binning.columns.slice(1) } }],
  ])('erases reports that were made %s, and begins the next', async (_, how) => {
    const first = await started();
    await both(first, ['a', 'b']);
    const old = reportAnswer(drawReport('c'), binning, questionTo('a')?.ticket);
    await first.watch.stop();
    const second = await started(how);
    second.comes('a');
    expect(questionTo('a')).toMatchObject({ period: 1 });
    await expect(second.watch.take('a', old)).rejects.toEqual(code('update-late'));
    clock.advance(DAY);
    clock.advance(DAY);
    await expect.poll(() => stored).toMatchObject([{ period: 1, reports: 0, sums: null }]);
    expect(failures).toEqual([]);
  });

  it('adds noise to sums alone, the same where it was killed, and other noise to the next', async () => {
    const rho = 0.5;
    const first = await started({ rho });
    await both(first, ['a', 'b']);
    clock.advance(DAY);
    await expect.poll(() => asked.length).toBe(4);
    const [whole] = stored;
    const variance = largestNorm(binning, MINIMUM_COUNT) ** 2 / (2 * rho);
    expect(whole).toMatchObject({ reports: 2, spending: { rho, at: EPOCH + DAY } });
    expect(whole?.noise).toBeCloseTo(variance, 9);
    const added = numbersOf(whole).map((one, i) => one - (totalOf(['a', 'b'])[i] as number));
    const mean = added.reduce((sum, one) => sum + one ** 2, 0) / added.length;
    // Four standard errors, of one draw of numbers with fixed seeds.
    expect(Math.abs(mean / variance - 1)).toBeLessThan(4 * Math.sqrt(2 / added.length));
    await both(first, ['a', 'b']);
    // Killed in the period after: the seed is in the spool, and the process after draws no other one.
    const later = new ManualClock(clock.now());
    const second = await started({ rho, at: later });
    await both(second, []);
    for (const at of [clock, later]) at.advance(DAY);
    await expect.poll(() => stored.length).toBe(3);
    const [, one, other] = stored;
    expect(numbersOf(one)).toEqual(numbersOf(other));
    expect([one?.period, one?.spending?.exchange]).toEqual([1, other?.spending?.exchange]);
    expect(numbersOf(one)).not.toEqual(numbersOf(whole));
  });

  it('costs each of two exchanges whose number is the same, since the date was set back', async () => {
    const ended = async () => {
      const { watch, comes } = await started({ rho: 0.5, spool: memorySpool() });
      await both({ watch, comes } as Started, ['a', 'b']);
      clock.advance(DAY);
      await expect.poll(() => stored.length).toBe(1);
      await watch.stop();
      return stored.splice(0)[0];
    };
    const one = await ended();
    clock.jump(1000 - DAY);
    asked = [];
    const other = await ended();
    expect([one?.period, other?.period]).toEqual([0, 0]);
    expect(one?.spending?.exchange).not.toBe(other?.spending?.exchange);
  });

  it('says that a sum could not be made, and tries again later', async () => {
    const watch = await started({ rho: 1e-320 });
    await both(watch, ['a', 'b']);
    clock.advance(DAY);
    await expect.poll(() => failures).toHaveLength(1);
    clock.advance(STORAGE_RETRY);
    await expect.poll(() => failures).toHaveLength(2);
    expect(stored).toEqual([]);
  });

  it('costs nothing where too few reported', async () => {
    const watch = await started({ rho: 0.5 });
    await both(watch, ['a']);
    clock.advance(DAY);
    await expect.poll(() => stored).toMatchObject([{ reports: 1, sums: null, spending: null }]);
  });

  it('goes on where it is stopped and started in one process, and ends after the last', async () => {
    const first = await started();
    first.comes('a');
    const sent = report(first, 'a');
    await first.watch.stop();
    await sent.catch(() => {});
    stored.push({ period: LAST - 1, startedAt: 0, endedAt: 0, reports: 0, ...unread });
    const [{ spool }] = watches as [(typeof watches)[0]];
    const second = await started({ spool });
    // The open exchange was before the last that is stored.
    expect(again).toEqual([0]);
    await both(second, ['a', 'b']);
    expect(questionTo('a')).toMatchObject({ period: LAST });
    clock.advance(DAY);
    await expect.poll(() => stored.at(-1)?.period).toBe(LAST);
    await expect.poll(spooled).toEqual([]);
    await expect(report(second, 'a')).rejects.toEqual(code('update-late'));
  });

  it('killed in the middle of a period, ends it with the same sums, and takes answers to its questions', async () => {
    const first = await started();
    await both(first, ['a', 'b']);
    first.comes('c');
    // Killed: its timers go with it, and nothing else is told.
    const later = new ManualClock(EPOCH + DAY / 2);
    const second = await started({ at: later });
    // Answers come on a new connection before anything else does, to questions of the process before.
    expect(await report(second, 'c')).toEqual(counted);
    expect(await report(second, 'a', drawReport('again'))).toEqual({ duplicate: true, next: null });
    later.advance(DAY / 2);
    await expect.poll(() => stored.length).toBe(1);
    expect(stored[0]).toMatchObject({ period: 0, startedAt: EPOCH, reports: 3 });
    expect(numbersOf(stored[0])).toEqual(totalOf(['a', 'b', 'c']));
  });

  it('goes on with the current period after a month, and closes the one that was open', async () => {
    const first = await started();
    await both(first, ['a', 'b']);
    const later = new ManualClock(EPOCH + 30 * DAY + 1000);
    const second = await started({ at: later });
    later.advance(0);
    await expect.poll(() => stored.length).toBe(1);
    expect(numbersOf(stored[0])).toEqual(totalOf(['a', 'b']));
    await expect
      .poll(() => {
        second.comes('a');
        return asked.at(-1)?.[1];
      })
      .toMatchObject({ period: 30, remaining: DAY - 1000 });
  });

  it('does not judge a period again whose end is stored, where it was killed before it forgot the reports', async () => {
    const watch = await started();
    await both(watch, ['a', 'b']);
    stored.push({ period: 0, startedAt: EPOCH, endedAt: EPOCH + DAY, reports: 2, ...unread });
    const later = new ManualClock(EPOCH + DAY);
    const next = await started({ at: later });
    next.comes('a');
    expect(questionTo('a')).toMatchObject({ period: 1 });
    expect(stored).toHaveLength(1);
    expect(again).toEqual([0]);
  });

  it('stores the end of a period until it is stored, and only then forgets its reports', async () => {
    const watch = await started();
    await both(watch, ['a', 'b']);
    refusesToStore = true;
    clock.advance(DAY);
    await expect.poll(() => failures).toEqual(['storage-failed']);
    expect(asked).toHaveLength(2);
    refusesToStore = false;
    clock.advance(STORAGE_RETRY);
    await expect.poll(() => asked.length).toBe(4);
    expect(numbersOf(stored[0])).toEqual(totalOf(['a', 'b']));
    expect(questionTo('a')).toMatchObject({ period: 1, remaining: DAY - STORAGE_RETRY });
  });

  it('where the disk refused a report, ends the period with those that it acknowledged', async () => {
    const files = fileSpool(folder);
    let isFull = false;
    const spool: Spool = {
      ...files,
      get waiting() {
        return files.waiting;
      },
      append: async (owner, answer) => {
        if (isFull) throw new CoppiceError('storage-failed', 'The disk is full.');
        return files.append(owner, answer);
      },
    };
    const watch = await started({ spool });
    await both(watch, ['a', 'b']);
    watch.comes('c');
    isFull = true;
    await expect(report(watch, 'c')).rejects.toEqual(code('storage-failed'));
    await expect.poll(() => failures).toEqual(['storage-failed']);
    isFull = false;
    clock.advance(DAY);
    // The exchange that was restored closes by its timer, which is due at once.
    await expect
      .poll(() => {
        clock.advance(0);
        return stored.length;
      })
      .toBe(1);
    expect(numbersOf(stored[0])).toEqual(totalOf(['a', 'b']));
    await expect.poll(() => questionTo('c')?.period).toBe(1);
    expect(await report(watch, 'c')).toEqual(counted);
  });
});
