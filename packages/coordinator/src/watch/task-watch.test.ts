import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { consentVersion, MINIMUM_COUNT } from '@coppice/continuity';
import { ManualClock } from '@coppice/ports';
import { CoppiceError } from '@coppice/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileSpool } from '../storage/file-spool.ts';
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
} = {}): Promise<Started> {
  const offers = new TaskOffers({ admissions, tell: () => {} });
  offers.asks('toy', claim);
  const watch = new TaskWatch({
    task: 'toy',
    kind: 'report',
    form: reportForm(of, MINIMUM_COUNT),
    consent: under,
    quorum: 2,
    next: async (lastClosed) => nextPeriod(at.now(), { epoch: EPOCH, length: DAY }, lastClosed),
    lastClosed: stored.at(-1)?.period ?? null,
    secret: 'a secret of the task',
    admissions,
    offers,
    spool,
    clock: at,
    ask: (participant, question) => void asked.push([participant, question]),
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
      sums: null,
    });
    expect(failures).toEqual([]);
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

  it('goes on where it is stopped and started in one process, and ends after the last', async () => {
    const first = await started();
    first.comes('a');
    const sent = report(first, 'a');
    await first.watch.stop();
    await sent.catch(() => {});
    stored.push({ period: LAST - 1, startedAt: 0, endedAt: 0, reports: 0, sums: null });
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
    stored.push({ period: 0, startedAt: EPOCH, endedAt: EPOCH + DAY, reports: 2, sums: null });
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
