import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { consentVersion, MINIMUM_COUNT, type ReportTerms } from '@coppice/continuity';
import { ManualClock } from '@coppice/ports';
import { CoppiceError } from '@coppice/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileSpool } from '../storage/file-spool.ts';
import type { Spool } from '../storage/spool.ts';
import { binning, drawReport, reportAnswer } from './report.testing.ts';
import { type ClosedPeriod, type PeriodQuestion, STORAGE_RETRY, TaskWatch } from './task-watch.ts';

const DAY = 24 * 3600 * 1000;
const EPOCH = 100 * DAY;
const terms: ReportTerms = { binning, periodMilliseconds: DAY, minimum: MINIMUM_COUNT };
const claim = { consent: consentVersion(terms), recipe: binning.recipe };
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

/** A process that knows what is in the folder and what was stored. */
async function started({ at = clock, spool = fileSpool(folder) } = {}): Promise<TaskWatch> {
  const watch = new TaskWatch({
    task: 'toy',
    terms,
    quorum: 2,
    epoch: EPOCH,
    lastClosed: stored.at(-1)?.period ?? null,
    secret: 'a secret of the task',
    admissions: {
      refusal: (participant) =>
        refused.has(participant) ? new CoppiceError('run-not-admitted', 'Not on the list.') : null,
    },
    spool,
    clock: at,
    ask: (participant, question) => void asked.push([participant, question]),
    closed: async (period) => {
      if (refusesToStore) throw new CoppiceError('storage-failed', 'The disk is full.');
      stored.push(period);
    },
    failed: (error) => void failures.push(error.code),
  });
  watches.push({ watch, spool });
  await watch.start();
  return watch;
}

/** The last question to a participant. */
const questionTo = (participant: string) => asked.findLast(([to]) => to === participant)?.[1];
const report = (watch: TaskWatch, participant: string, numbers = drawReport(participant)) =>
  watch.take(participant, reportAnswer(numbers, binning, questionTo(participant)?.ticket));
const both = async (watch: TaskWatch, some: readonly string[]) => {
  for (const participant of some) {
    watch.comes(participant, claim);
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
    watch.goes('a');
    watch.comes('a', claim);
    watch.comes('c', claim);
    watch.comes('c', claim);
    expect(asked.map(([to]) => to)).toEqual(['a', 'b', 'c', 'c']);
    const late = questionTo('c');
    watch.goes('b');
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
    await expect(watch.take('c', tooLate)).rejects.toEqual(code('update-late'));
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
    await watch.stop();
    const next = await started();
    // Only the opening of the next period is there, with no answer.
    next.comes('z', claim);
    clock.advance(DAY);
    await expect.poll(() => stored.length).toBe(2);
    expect(stored[1]).toMatchObject({ period: 1, reports: 0 });
  });

  it('refuses by name a participant that is not admitted, consents to something else, or compares otherwise', async () => {
    const watch = await started();
    const other = 'ef'.repeat(32);
    refused.add('a');
    expect(() => watch.comes('a', claim)).toThrow(code('run-not-admitted'));
    expect(() => watch.comes('b', { ...claim, consent: other })).toThrow(code('consent-outdated'));
    expect(() => watch.comes('b', { ...claim, recipe: other })).toThrow(code('report-mismatch'));
    expect(asked).toEqual([]);
    watch.comes('b', claim);
    const stolen = reportAnswer(drawReport('c'), binning, questionTo('b')?.ticket);
    await expect(watch.take('c', stolen)).rejects.toEqual(code('ticket-invalid'));
    // Taken off the list meanwhile.
    refused.add('b');
    await expect(report(watch, 'b')).rejects.toEqual(code('run-not-admitted'));
    clock.advance(DAY);
    await expect.poll(() => stored.length).toBe(1);
    expect(asked).toHaveLength(1);
  });

  it('killed in the middle of a period, ends it with the same sums, and takes answers to its questions', async () => {
    const first = await started();
    await both(first, ['a', 'b']);
    first.comes('c', claim);
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
        second.comes('a', claim);
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
    next.comes('a', claim);
    expect(questionTo('a')).toMatchObject({ period: 1 });
    expect(stored).toHaveLength(1);
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
    watch.comes('c', claim);
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
