import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MINIMUM_COUNT } from '@coppice/continuity';
import { ManualClock } from '@coppice/ports';
import type { CoppiceError } from '@coppice/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Closed } from '../exchanges/exchange.ts';
import { fileSpool } from '../storage/file-spool.ts';
import { isSpooledTask, type Spool } from '../storage/spool.ts';
import { type TaskOpening, taskOwner } from '../storage/task-opening.ts';
import { binning, drawReport, reportAnswer } from './report.testing.ts';
import { reportForm } from './report-form.ts';
import { restoredTaskExchange, taskExchange } from './task-exchange.ts';

const DAY = 24 * 3600 * 1000;
const START = 1_000_000;
const form = reportForm('report', binning, MINIMUM_COUNT);
const opening: TaskOpening = {
  task: 'toy',
  kind: 'report',
  period: 7,
  reference: form.reference,
  layout: form.layout,
  consent: null,
  models: [],
  noise: null,
  startedAt: START,
  deadlineAt: START + DAY,
};
const counted = { duplicate: false, next: null };
const code = (expected: string) => expect.objectContaining({ code: expected });

/** The sum of all numbers of reports: in float64 exact, since their units are powers of two. */
function totalOf(participants: readonly string[]): number[] {
  const total = new Array<number>(form.answers.parameters).fill(0);
  for (const participant of participants)
    drawReport(participant).forEach((one, i) => {
      total[i] = (total[i] as number) + one;
    });
  return total;
}

describe("an exchange of a task's reports", () => {
  let folder: string;
  let spool: Spool;
  let closed: Closed[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'coppice-watch-'));
    spool = fileSpool(folder);
    closed = [];
  });
  afterEach(async () => {
    await spool.close();
    rmSync(folder, { recursive: true });
  });

  const options = (clock: ManualClock, quorum = 2) => ({
    form,
    quorum,
    spool,
    clock,
    listener: {
      changed: () => {},
      counted: () => {},
      refused: () => {},
      closed: (how: Closed) => void closed.push(how),
    },
  });
  const begun = (clock: ManualClock, quorum?: number) => {
    spool.open(opening);
    const exchange = taskExchange(opening, options(clock, quorum));
    exchange.open();
    return exchange;
  };
  const send = async (
    exchange: ReturnType<typeof begun>,
    participant: string,
    numbers = drawReport(participant),
  ) => {
    exchange.admit(participant);
    return exchange.take(participant, reportAnswer(numbers));
  };
  const numbersOf = ({ sum }: ReturnType<typeof begun>) =>
    [...sum.measures.totals().values()].flatMap((values) => [...values]);
  /** The exchange in a process after, which knows nothing but the folder. */
  const restored = async (clock: ManualClock, damaged: CoppiceError[] = []) => {
    spool = fileSpool(folder);
    const spooled = await spool.recover(taskOwner(opening));
    if (spooled === null || !isSpooledTask(spooled)) throw new Error('nothing was spooled');
    return restoredTaskExchange(spooled, options(clock), (error) => void damaged.push(error));
  };

  it('goes on in another process with all reports that were acknowledged, to the same sums', async () => {
    const clock = new ManualClock(START);
    const first = begun(clock);
    for (const participant of ['a', 'b', 'c']) expect(await send(first, participant)).toEqual(counted);
    // Killed: nothing is closed. The other process starts six hours later, with a monotonic clock of its own.
    const later = new ManualClock(START + DAY / 4);
    const damaged: CoppiceError[] = [];
    const second = await restored(later, damaged);
    second.open();
    expect(damaged).toEqual([]);
    expect(second.name).toBe(first.name);
    expect(numbersOf(second)).toEqual(totalOf(['a', 'b', 'c']));
    expect(await send(second, 'b', drawReport('liar'))).toEqual({ duplicate: true, next: null });
    expect(await send(second, 'd')).toEqual(counted);
    later.advance((DAY * 3) / 4 - 1);
    expect(closed).toEqual([]);
    later.advance(1);
    expect(closed).toEqual([{ outcome: 'enough' }]);
    expect(numbersOf(second)).toEqual(totalOf(['d', 'c', 'b', 'a']));
    await expect(send(second, 'e')).rejects.toEqual(code('update-late'));
  });

  it('closes at once where its deadline passed in between, and lasts no longer where the date went back', async () => {
    const clock = new ManualClock(START);
    const first = begun(clock);
    for (const participant of ['a', 'b']) await send(first, participant);
    const after = new ManualClock(START + 40 * DAY);
    const late = await restored(after);
    late.open();
    after.advance(0);
    expect(closed).toEqual([{ outcome: 'enough' }]);
    expect(numbersOf(late)).toEqual(totalOf(['a', 'b']));

    const before = new ManualClock(START - 40 * DAY);
    const again = await restored(before);
    again.open();
    before.advance(DAY);
    expect(closed).toHaveLength(2);
  });

  it('counts no report with impossible numbers, of another reference or of too few observations', async () => {
    const clock = new ManualClock(START);
    const exchange = begun(clock);
    await send(exchange, 'a');
    const twice = drawReport('b').map((one) => 2 * one);
    await expect(send(exchange, 'b', twice)).rejects.toEqual(code('update-measure'));
    const two = drawReport('c').map((one, i) => (i === 0 ? 0 : one));
    await expect(send(exchange, 'c', two)).rejects.toEqual(code('update-measure'));
    const few = drawReport('d', { observations: MINIMUM_COUNT - 1 });
    await expect(send(exchange, 'd', few)).rejects.toEqual(code('update-measure'));
    const other = { ...binning, recipe: 'cd'.repeat(32) };
    exchange.admit('e');
    const foreign = reportAnswer(drawReport('e', { of: other }), other);
    await expect(exchange.take('e', foreign)).rejects.toEqual(code('update-shape'));
    expect(numbersOf(exchange)).toEqual(totalOf(['a']));
    clock.advance(DAY);
    expect(closed).toMatchObject([{ outcome: 'lost', reason: { code: 'quorum-lost' } }]);
  });

  it('is not resumed with another form than it was opened with', async () => {
    await send(begun(new ManualClock(START)), 'a');
    for (const part of [{ reference: 'ef'.repeat(32) }, { layout: 'ef'.repeat(16) }])
      expect(() => taskExchange({ ...opening, ...part }, options(new ManualClock(START)))).toThrow(
        code('storage-corrupt'),
      );
  });
});
