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

/** A process that knows what is in the folder. */
function process({ at = clock } = {}) {
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
    secretOf: async () => 'a secret of the task',
    newSecret: () => 'a secret',
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
  return comparisonMeasures(examples, CLASSES, 1) as ReadonlyMap<string, Float64Array>;
}
const layoutOf = ({ production, candidate, number }: AskedComparison) =>
  comparisonLayout(CLASSES, { production: production.hash, candidate: candidate.hash, number });

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
  return { participants: participants.length, evidence: comparisonEvidence(sum.totals()) };
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
      expect((await compared)?.participants).toBe(3);
      await expect.poll(() => readdirSync(folder)).toEqual([]);
    }
  });
});
