import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ComparedExample,
  comparisonEvidence,
  comparisonLayout,
  comparisonMeasures,
} from '@coppice/continuity';
import { builtInTask } from '@coppice/datasets';
import { encodeMeasures, MeasureSum } from '@coppice/federation';
import { ManualClock, seededRandom, uniform } from '@coppice/ports';
import {
  type Answer,
  CoppiceError,
  contributionHash,
  contributionSize,
  encodeFrame,
  float32Payload,
  type Task,
  type TaskAsk,
} from '@coppice/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileSpool } from '../storage/file-spool.ts';
import type { Spool } from '../storage/spool.ts';
import { TaskAnswers } from './answers.ts';
import { type AskedComparison, Comparisons } from './comparisons.ts';

const HOUR = 3_600_000;
const START = 1_000_000;
const CLASSES = 3;
const task = builtInTask('iris') as Task;
const asked: AskedComparison = {
  task: 'iris',
  number: 4,
  production: { checkpoint: 'iris-1/3', hash: 'ab'.repeat(32) },
  candidate: { checkpoint: 'iris-2/5', hash: 'cd'.repeat(32) },
  since: 500,
  older: true,
  privacy: null,
  milliseconds: HOUR,
  fewest: 3,
};
const counted = { duplicate: false, next: null };
const code = (expected: string) => expect.objectContaining({ code: expected });

let folder: string;
let clock: ManualClock;
let started: { comparisons: Comparisons; spool: Spool }[];
let questions: [string, TaskAsk][];
let failures: string[];
let refused: Set<string>;
/** Participants that offered answers, and the listeners to those that come. */
let offered: Set<string>;
let listeners: Set<(participant: string) => void>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'coppice-compare-'));
  clock = new ManualClock(START);
  started = [];
  questions = [];
  failures = [];
  refused = new Set();
  offered = new Set(['a', 'b']);
  listeners = new Set();
});
afterEach(async () => {
  for (const { comparisons, spool } of started) {
    await comparisons.stop();
    await spool.close();
  }
  rmSync(folder, { recursive: true });
});

/** A process that knows what is in the folder, with a secret of its own for noise. */
function process({ at = clock, spent = 0, secret = 'a secret of this process' } = {}) {
  const spool = fileSpool(folder);
  const answers = new TaskAnswers();
  const comparisons = new Comparisons({
    tasks: { get: () => task },
    offers: {
      of: () => [...offered],
      on: (_task, came) => {
        listeners.add(came);
        return () => void listeners.delete(came);
      },
    },
    answers,
    admissions: {
      refusal: (participant) =>
        refused.has(participant) ? new CoppiceError('run-not-admitted', 'Not on the list.') : null,
    },
    audience: {
      send: (to, _name, message) => {
        for (const participant of to) questions.push([participant, message as unknown as TaskAsk]);
      },
    },
    spool,
    clock: at,
    ledger: { spentRho: async () => spent },
    secretOf: async () => 'a secret of the task',
    newSecret: () => secret,
    failed: (_task, error) => void failures.push(error.code),
  });
  started.push({ comparisons, spool });
  const send = (participant: string, measures = measuresOf(participant), of = asked) =>
    answers.take('iris', participant, answerOf(participant, measures, of));
  return { comparisons, send };
}
const questionTo = (participant: string) => questions.findLast(([to]) => to === participant)?.[1];
const comes = (participant: string) => {
  offered.add(participant);
  for (const came of listeners) came(participant);
};
const isAsked = (participant: string) => expect.poll(() => questionTo(participant)).toBeDefined();

/** The measures of a participant with drawn hits. */
function measuresOf(participant: string, count = 30) {
  const random = seededRandom('compared', participant);
  const examples = Array.from(
    { length: count },
    (): ComparedExample => ({
      slice: uniform(random) < 0.5 ? 'recent' : 'older',
      label: Math.floor(CLASSES * uniform(random)),
      production: uniform(random) < 0.6,
      candidate: uniform(random) < 0.8,
    }),
  );
  return comparisonMeasures(examples, CLASSES, asked, 1) as ReadonlyMap<string, Float64Array>;
}
const layoutOf = ({ production, candidate, number, older }: AskedComparison) =>
  comparisonLayout(CLASSES, { production: production.hash, candidate: candidate.hash, number, older });

function answerOf(
  participant: string,
  measures: ReadonlyMap<string, Float64Array>,
  of: AskedComparison,
): Answer {
  const layout = layoutOf(of);
  return {
    task: 'iris',
    ticket: questionTo(participant)?.ticket ?? 'compare-0.x',
    weight: 1,
    milliseconds: 1,
    frame: encodeFrame({
      kind: 'contribution',
      codec: 'float32',
      layoutHash: contributionHash(layout),
      parameters: contributionSize(layout),
      payload: float32Payload(encodeMeasures(layout, measures)),
    }),
  } as Answer;
}
/** What a comparison of these participants gives. */
function expected(participants: readonly string[]) {
  const sum = new MeasureSum(layoutOf(asked));
  for (const participant of participants) sum.add(measuresOf(participant));
  const evidence = comparisonEvidence(sum.totals(), participants.length);
  return { participants: participants.length, evidence, spending: null };
}

describe('a comparison', () => {
  it('asks all that offered answers and those that come, and gives the sums of the answers at its end', async () => {
    const { comparisons, send } = process();
    const compared = comparisons.compare(asked);
    await isAsked('a');
    comes('c');
    comes('d');
    expect(questions.map(([to]) => to)).toEqual(['a', 'b', 'c', 'd']);
    expect(questionTo('c')).toEqual({
      task: 'iris',
      kind: 'compare',
      ticket: expect.any(String),
      period: 4,
      remaining: HOUR,
      reference: null,
      models: [
        { role: 'production', checkpoint: 'iris-1/3', hash: asked.production.hash },
        { role: 'candidate', checkpoint: 'iris-2/5', hash: asked.candidate.hash },
      ],
      since: 500,
    });
    for (const participant of ['c', 'a', 'b']) expect(await send(participant)).toEqual(counted);
    expect(await send('a', measuresOf('again'))).toEqual({ duplicate: true, next: null });
    // A connection that returns is asked again for nothing that counted.
    comes('a');
    expect(questions).toHaveLength(4);
    expect(readdirSync(folder)).toEqual(['compare.iris.spool']);
    clock.advance(HOUR);
    expect(await compared).toEqual(expected(['a', 'b', 'c']));
    await expect(send('d')).rejects.toEqual(code('update-late'));
    expect(readdirSync(folder)).toEqual(['compare.iris.spool']);
    comparisons.settled('iris', 3);
    comparisons.settled('iris', 4);
    // Erased.
    await expect.poll(() => readdirSync(folder)).toEqual([]);
    expect(failures).toEqual([]);
  });

  it('tells nothing where fewer answered than were asked for', async () => {
    const { comparisons, send } = process();
    const compared = comparisons.compare(asked);
    await isAsked('a');
    for (const participant of ['a', 'b']) await send(participant);
    clock.advance(HOUR);
    expect(await compared).toBeNull();
    comparisons.settled('iris', 4);
    await expect.poll(() => readdirSync(folder)).toEqual([]);
  });

  it('refuses by name impossible measures, another comparison, and participants that were not asked or are not admitted', async () => {
    const { comparisons, send } = process();
    void comparisons.compare(asked);
    await isAsked('a');
    const twice = new Map(
      [...measuresOf('a')].map(([name, values]) => [name, values.map((value) => 2 * value)]),
    );
    await expect(send('a', twice)).rejects.toEqual(code('update-measure'));
    await expect(send('b', measuresOf('b', 9))).rejects.toEqual(code('update-measure'));
    comes('c');
    const other = { ...asked, candidate: { ...asked.candidate, hash: 'ef'.repeat(32) } };
    await expect(send('c', measuresOf('c'), other)).rejects.toEqual(code('report-mismatch'));
    expect(await send('c')).toEqual(counted);
    await expect(send('d')).rejects.toEqual(code('ticket-invalid'));
    comes('e');
    refused.add('e');
    await expect(send('e')).rejects.toEqual(code('run-not-admitted'));
  });

  it('killed in between, goes on where it is asked for with the same number, to the same sums', async () => {
    const first = process();
    void first.comparisons.compare(asked);
    await isAsked('a');
    for (const participant of ['a', 'b']) await first.send(participant);
    // Killed: nothing is stopped. The other process has another monotonic clock.
    const later = new ManualClock(START + HOUR / 2);
    const second = process({ at: later });
    listeners.clear();
    const compared = second.comparisons.compare(asked);
    await expect.poll(() => listeners.size).toBe(1);
    comes('c');
    expect(questionTo('c')?.remaining).toBe(HOUR / 2);
    expect(await second.send('c')).toEqual(counted);
    expect(await second.send('a', measuresOf('again'))).toEqual({ duplicate: true, next: null });
    later.advance(HOUR / 2);
    expect(await compared).toEqual(expected(['a', 'b', 'c']));
  });

  it('is of recent examples alone where it is asked so, and takes no other answers', async () => {
    const { comparisons, send } = process();
    const recentAlone = { ...asked, older: false };
    void comparisons.compare(recentAlone);
    await isAsked('a');
    expect(questionTo('a')).toMatchObject({ kind: 'compare', older: false });
    // A device that does not know the field answers with older examples.
    await expect(send('a')).rejects.toEqual(code('report-mismatch'));
    const recent = comparisonMeasures(
      Array.from({ length: 12 }, () => ({
        slice: 'recent' as const,
        label: 0,
        production: false,
        candidate: true,
      })),
      CLASSES,
      recentAlone,
    ) as ReadonlyMap<string, Float64Array>;
    expect(await send('a', recent, recentAlone)).toEqual(counted);
  });

  it('leaves nothing on disk where nothing asks for it after a restart', async () => {
    const first = process();
    void first.comparisons.compare(asked);
    await isAsked('a');
    await first.send('a');
    const second = process();
    await second.comparisons.erase(['digits']);
    expect(readdirSync(folder)).toEqual(['compare.iris.spool']);
    await second.comparisons.erase(['iris']);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('takes up nothing of an earlier number, and ends the one that was open', async () => {
    const first = process();
    void first.comparisons.compare(asked);
    await isAsked('a');
    for (const participant of ['a', 'b']) await first.send(participant);
    const next = { ...asked, number: 5 };
    for (const again of [first, process()]) {
      questions = [];
      const compared = again.comparisons.compare(next);
      await isAsked('a');
      expect(questionTo('a')?.period).toBe(5);
      for (const participant of ['a', 'b']) await again.send(participant, undefined, next);
      comes('c');
      expect(await again.send('c', undefined, next)).toMatchObject({ next: null });
      clock.advance(HOUR);
      expect(await compared).toMatchObject({ participants: 3 });
      again.comparisons.settled('iris', 5);
      await expect.poll(() => readdirSync(folder)).toEqual([]);
    }
  });
});

describe('a comparison with noise', () => {
  const privacy = { rho: 0.5, epsilon: 8, delta: 1e-6 };
  const noisy = { ...asked, privacy };
  type Sums = Exclude<Awaited<ReturnType<Comparisons['compare']>>, 'budget-spent' | null>;

  /** The sums of three participants that answer in time. */
  async function summed({ comparisons, send }: ReturnType<typeof process>): Promise<Sums> {
    const compared = comparisons.compare(noisy);
    await isAsked('a');
    comes('c');
    for (const participant of ['a', 'b', 'c']) await send(participant);
    clock.advance(HOUR);
    return (await compared) as Sums;
  }

  /** The sums of a comparison that goes on when its time is over. */
  async function summedAgain({ comparisons }: ReturnType<typeof process>): Promise<Sums> {
    let sums: unknown = null;
    void comparisons.compare(noisy).then((found) => {
      sums = found;
    });
    await expect
      .poll(() => {
        clock.advance(1);
        return sums;
      })
      .not.toBeNull();
    return sums as Sums;
  }

  it('has that of its largest answer on every sum, and says what it costs', async () => {
    const { participants, evidence, spending } = await summed(process());
    // Δ² by hand: a participant, two slices of six, better, three classes of six, and two bins.
    const variance = (1 + 12 + 1 + 18 + 2) / (2 * privacy.rho);
    expect(evidence.noise).toBeCloseTo(variance, 9);
    expect(participants).toBe(3);
    expect(spending).toMatchObject({ at: START + HOUR, rho: 0.5 });
    expect(spending?.exchange).toMatch(/^compare-4-.*-1000000$/);
    const exact = expected(['a', 'b', 'c']).evidence;
    expect(evidence.recent).not.toEqual(exact.recent);
    const apart = evidence.accuracies.production.map((n, i) => n - (exact.accuracies.production[i] ?? 0));
    expect(apart.every(Number.isInteger)).toBe(true);
    expect(Math.max(...apart.map(Math.abs))).toBeGreaterThan(0);
    expect(Math.max(...apart.map(Math.abs))).toBeLessThan(6 * Math.sqrt(variance));
  });

  it('that was not settled gives the same sums again, in this process and after a restart', async () => {
    const first = process();
    const { evidence, spending } = await summed(first);
    // The result could not be stored, and is asked for again.
    const again = await summedAgain(first);
    expect([again.evidence, again.spending?.exchange]).toEqual([evidence, spending?.exchange]);
    await first.comparisons.stop();
    const second = process({ secret: 'a secret of another process' });
    const later = await summedAgain(second);
    expect([later.evidence, later.spending?.exchange]).toEqual([evidence, spending?.exchange]);
    second.comparisons.settled('iris', 4);
    await expect.poll(() => readdirSync(folder)).toEqual([]);
    expect(failures).toEqual([]);
  });

  it('is not opened where the budget has no room for it beside a period', async () => {
    // ε of ρ at δ = 10⁻⁶ is below 8 up to ρ of about 1.1.
    const { comparisons } = process({ spent: 0.2 });
    expect(await comparisons.affords('iris', privacy)).toBe(false);
    expect(await comparisons.compare(noisy)).toBe('budget-spent');
    expect([questions, readdirSync(folder)]).toEqual([[], []]);
    expect(await process().comparisons.affords('iris', privacy)).toBe(true);
    expect(await comparisons.affords('iris', null)).toBe(true);
  });
});
