import {
  type Answer,
  type DataSchema,
  type Down,
  encodeFrame,
  encodeHeader,
  frameBytes,
  isHeaderAlone,
  PIECE_BYTES,
  PROTOCOL_VERSION,
  type TableData,
  type WireError,
} from '@coppice/protocol';
import { sampleDown } from '@coppice/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DataSummary, LocalData } from './local-data.ts';
import type { LocalState } from './local-state.ts';
import type { LoopbackPeer } from './loopback-transport.ts';
import { exampleIds } from './marks.ts';
import { ParcelFetcher } from './parcel-fetcher.ts';
import { sendAnswer } from './pieces.ts';
import type { Transport } from './transport.ts';
import { Counting } from './watch/counting.ts';
import type { KeptInputs } from './watch/kept-inputs.ts';
import type { KeptMonitor, KeptMonitors } from './watch/kept-monitors.ts';
import { termsOf } from './watch/terms.ts';
import { binningOf, RELEASED, toy, watchOf } from './watch/watched.testing.ts';

const picture: DataSchema = { kind: 'image', width: 2, height: 2, channels: 1, classes: ['a', 'b', 'c'] };
const table: TableData = {
  kind: 'table',
  features: [
    { name: 'x', mean: 10, scale: 2 },
    { name: 'y', mean: 0, scale: 1 },
  ],
  target: { kind: 'number', name: 'z' },
};

const two = () => ({
  count: 2,
  features: new Uint8Array([0, 51, 102, 255, 1, 2, 3, 4]),
  labels: new Float32Array([0, 2]),
});

/** The coordinator's time in the contract of `LocalData`: the implementation under test marks by it. */
export const CONTRACT_TIME = 1_700_000_000_123;

/** The contract of every `LocalData`. `open` returns the data of a task under a schema, empty at first. */
export function localDataContract(
  name: string,
  open: (task: string, schema: DataSchema) => Promise<LocalData>,
): void {
  describe(`LocalData contract: ${name}`, () => {
    let task: string;
    let tasks = 0;
    const opened: LocalData[] = [];
    const openData = async (schema: DataSchema, id = task) => {
      const data = await open(id, schema);
      opened.push(data);
      return data;
    };
    beforeEach(() => {
      task = `task-${++tasks}`;
    });
    afterEach(() => {
      for (const data of opened.splice(0)) data.close();
    });

    it('is empty at first', async () => {
      const data = await openData(picture);
      expect(await data.summary()).toEqual({
        count: 0,
        perClass: [0, 0, 0],
        bySource: {},
        bytes: 0,
        setAside: 0,
      });
      expect(await data.dataset()).toEqual({
        count: 0,
        xs: new Uint8Array(0),
        ys: new Float32Array(0),
        ids: new Uint8Array(0),
        times: new Float64Array(0),
      });
    });

    it('counts by class and source, and gives everything back in order, pixels as they are', async () => {
      const data = await openData(picture);
      await data.add(two(), 'images');
      const summary = await data.add(
        { count: 1, features: new Uint8Array([255, 0, 0, 0]), labels: new Float32Array([2]) },
        'drawn',
      );
      expect(summary).toMatchObject({ count: 3, perClass: [1, 0, 2], bySource: { images: 2, drawn: 1 } });
      expect(summary.bytes).toBe(12 + 12);
      const { count, xs, ys } = await data.dataset();
      expect(count).toBe(3);
      expect([...ys]).toEqual([0, 2, 2]);
      expect(xs).toEqual(Uint8Array.of(0, 51, 102, 255, 1, 2, 3, 4, 255, 0, 0, 0));
      expect([...(await data.examples()).features]).toEqual([0, 51, 102, 255, 1, 2, 3, 4, 255, 0, 0, 0]);
    });

    it('standardises columns by the schema', async () => {
      const data = await openData(table);
      const summary = await data.add(
        { count: 1, features: new Float32Array([14, -3]), labels: new Float32Array([0.5]) },
        'csv',
      );
      expect(summary).toMatchObject({ count: 1, perClass: [] });
      expect(await data.dataset()).toMatchObject({
        count: 1,
        xs: new Float32Array([2, -3]),
        ys: new Float32Array([0.5]),
      });
    });

    it.each([
      ['sizes that disagree', picture, { ...two(), count: 3 }],
      ['a class that is none', picture, { ...two(), labels: new Float32Array([0, 3]) }],
      ['half a class', picture, { ...two(), labels: new Float32Array([0, 0.5]) }],
      [
        'a feature that is no number',
        table,
        { count: 1, features: new Float32Array([1, Number.NaN]), labels: new Float32Array([1]) },
      ],
      [
        'a target that is no number',
        table,
        {
          count: 1,
          features: new Float32Array([1, 1]),
          labels: new Float32Array([Number.POSITIVE_INFINITY]),
        },
      ],
    ])('refuses %s and keeps what it has', async (_what, schema, examples) => {
      const data = await openData(schema);
      await expect(data.add(examples, 'csv')).rejects.toMatchObject({ code: 'data-invalid' });
      expect((await data.summary()).count).toBe(0);
    });

    it('keeps several numbers of each example, in all that is done with them', async () => {
      const schema: TableData = {
        ...table,
        target: { kind: 'numbers', name: 'z', columns: [{ name: 'a' }, { name: 'b', mean: 10, scale: 5 }] },
      };
      const data = await openData(schema);
      const features = Float32Array.of(10, 0, 12, 1, 14, 2);
      const labels = Float32Array.of(1, 20, 2, 10, 3, 0);
      await data.add({ count: 3, features, labels }, 'csv');
      expect([...(await data.dataset()).ys]).toEqual([1, 2, 2, 0, 3, -2]);
      const { ids } = await data.examples();
      const second = [...ids.subarray(16, 32)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
      await data.remove([second]);
      expect([...(await data.examples()).labels]).toEqual([1, 20, 3, 0]);
      const few = { count: 2, features: features.slice(0, 4), labels: Float32Array.of(1, 2) };
      await expect(data.add(few, 'csv')).rejects.toMatchObject({ code: 'data-invalid' });
      const bad = { count: 1, features: features.slice(0, 2), labels: Float32Array.of(1, Number.NaN) };
      await expect(data.add(bad, 'csv')).rejects.toMatchObject({
        code: 'data-invalid',
        message: expect.stringContaining('Example 1 '),
      });
    });

    it('gives the trainer categories one-hot and targets scaled, and keeps both as they were added', async () => {
      const data = await openData({
        ...table,
        features: [
          { kind: 'category', name: 'x', values: ['p', 'q'] },
          { name: 'y', mean: 10, scale: 2 },
        ],
        target: { kind: 'number', name: 'z', mean: 100, scale: 50 },
      });
      const features = Float32Array.of(1, 14, 2, 8);
      await data.add({ count: 2, features, labels: Float32Array.of(150, 0) }, 'csv');
      const { xs, ys } = await data.dataset();
      expect([...xs]).toEqual([0, 1, 0, 2, 0, 0, 1, -1]);
      expect([...ys]).toEqual([1, -2]);
      const kept = await data.examples();
      expect([...kept.features]).toEqual([...features]);
      expect([...kept.labels]).toEqual([150, 0]);
      const wrong = { count: 1, features: Float32Array.of(3, 10), labels: Float32Array.of(1) };
      await expect(data.add(wrong, 'csv')).rejects.toMatchObject({ code: 'data-invalid' });
    });

    it('deletes by source, and all', async () => {
      const data = await openData(picture);
      await data.add(two(), 'images');
      await data.add(two(), 'drawn');
      expect(await data.clear('images')).toMatchObject({ count: 2, bySource: { drawn: 2 } });
      expect(await data.clear()).toMatchObject({ count: 0, bytes: 0 });
    });

    it('marks each example with an id of its own, the time, its source and its origin', async () => {
      const data = await openData(picture);
      await data.add(two(), 'images');
      await data.add(two(), 'outcome');
      const { ids, times, sources, origins } = await data.examples();
      expect(ids).toHaveLength(4 * 16);
      expect(new Set(exampleIds({ ids })).size).toBe(4);
      expect([...times]).toEqual([CONTRACT_TIME, CONTRACT_TIME, CONTRACT_TIME, CONTRACT_TIME]);
      expect(sources).toEqual(['images', 'images', 'outcome', 'outcome']);
      expect(origins).toEqual(['added', 'added', 'outcome', 'outcome']);
      const dataset = await data.dataset();
      expect([dataset.ids, dataset.times]).toEqual([ids, times]);
    });

    it('deletes single examples, and leaves the others as they were', async () => {
      const data = await openData(picture);
      await data.add(two(), 'images');
      await data.add(two(), 'drawn');
      const before = await data.examples();
      const [, second, third] = exampleIds(before) as [string, string, string, string];
      expect(await data.remove([second, third, 'f'.repeat(32)])).toMatchObject({
        count: 2,
        perClass: [1, 0, 1],
        bySource: { images: 1, drawn: 1 },
      });
      const after = await data.examples();
      expect([...after.features]).toEqual([0, 51, 102, 255, 1, 2, 3, 4]);
      expect([...after.labels]).toEqual([0, 2]);
      expect([after.ids.slice(0, 16), after.ids.slice(16)]).toEqual([
        before.ids.slice(0, 16),
        before.ids.slice(48),
      ]);
      expect(await data.remove(exampleIds(after))).toMatchObject({ count: 0, bytes: 0, bySource: {} });
    });

    it('leaves a dataset that was taken as it is when examples are deleted', async () => {
      const data = await openData(picture);
      await data.add(two(), 'images');
      const taken = await data.dataset();
      const was = structuredClone(taken);
      await data.remove(exampleIds(taken).slice(0, 1));
      expect(taken).toEqual(was);
      expect((await data.dataset()).count).toBe(1);
    });

    it('tells of deleted examples', async () => {
      const data = await openData(picture);
      await data.add(two(), 'images');
      const told: number[] = [];
      data.subscribe(({ count }) => told.push(count));
      await data.remove(exampleIds(await data.examples()).slice(0, 1));
      expect(told).toEqual([1]);
    });

    it('does not keep what the caller may change', async () => {
      const data = await openData(picture);
      const examples = two();
      await data.add(examples, 'images');
      examples.features.fill(9);
      examples.labels.fill(1);
      expect([...(await data.examples()).features]).toEqual([...two().features]);
      expect([...(await data.dataset()).ys]).toEqual([0, 2]);
    });

    it('tells of every change until told to stop', async () => {
      const data = await openData(picture);
      const told: DataSummary[] = [];
      const stop = data.subscribe((summary) => told.push(summary));
      await data.add(two(), 'images');
      await data.clear();
      stop();
      await data.add(two(), 'images');
      expect(told.map((summary) => summary.count)).toEqual([2, 0]);
    });

    it('keeps the tasks apart', async () => {
      const one = await openData(picture);
      await one.add(two(), 'images');
      const other = await openData(picture, `${task}-other`);
      expect((await other.summary()).count).toBe(0);
    });
  });
}

/**
 * The contract of every `LocalState`. `open` returns the empty state of a new device; `reopen` returns it again, as
 * after a restart of the program.
 */
export function localStateContract(
  name: string,
  open: () => Promise<{ state: LocalState; reopen: () => Promise<LocalState>; close: () => Promise<void> }>,
): void {
  describe(`LocalState contract: ${name}`, () => {
    let under: Awaited<ReturnType<typeof open>>;
    let state: LocalState;
    beforeEach(async () => {
      under = await open();
      state = under.state;
    });
    afterEach(() => under.close());

    const version = (round: number, attempt = 1) => ({
      ticket: `t${round}-${attempt}`,
      round,
      attempt,
      model: 'a'.repeat(64),
    });
    const content = (n: number) => ({
      kept: {
        strategy: {
          values: { n, name: 'control', more: [1, null, true] },
          tensors: { c: Float32Array.of(n, 0.5) },
        },
        pipeline: { 'compress/model': Float32Array.of(n, -n) },
      },
      answer: { weight: n, milliseconds: 1.5, norm: 2.5, frame: Uint8Array.of(n, 2, 3) },
    });
    const tickets = async (run = 'r-1') => (await state.versions(run)).map(({ ticket }) => ticket);

    it('is empty at first', async () => {
      expect(await state.versions('r-1')).toEqual([]);
      expect(await state.kept('r-1', 't1-1')).toBeNull();
      expect(await state.answer('r-1', 't1-1')).toBeNull();
      expect(await state.runs()).toEqual([]);
    });

    it('gives back a staged version, bit by bit, also after the program was ended', async () => {
      await state.stage('r-1', version(1), content(1));
      for (const open of [async () => state, under.reopen]) {
        const one = await open();
        expect(await one.versions('r-1')).toEqual([{ ...version(1), counted: false }]);
        expect(await one.kept('r-1', 't1-1')).toEqual(content(1).kept);
        expect(await one.answer('r-1', 't1-1')).toEqual(content(1).answer);
        expect(await one.runs()).toEqual(['r-1']);
      }
    });

    it('keeps versions in the order in which they were staged first', async () => {
      await state.stage('r-1', version(9), content(9));
      await state.stage('r-1', version(10), content(10));
      await state.stage('r-1', version(9), content(7));
      expect(await tickets()).toEqual(['t9-1', 't10-1']);
      expect((await state.answer('r-1', 't9-1'))?.weight).toBe(7);
    });

    it('puts a version in the place of others', async () => {
      await state.stage('r-1', version(1), content(1));
      await state.stage('r-1', version(1, 2), content(2), ['t1-1', 'unknown']);
      expect(await tickets()).toEqual(['t1-2']);
      expect(await state.kept('r-1', 't1-1')).toBeNull();
      expect(await state.answer('r-1', 't1-1')).toBeNull();
    });

    it('notes verdicts: counted without the answer, staged again, or gone', async () => {
      for (const round of [1, 2, 3]) await state.stage('r-1', version(round), content(round));
      await state.settle(
        'r-1',
        new Map<string, boolean | null>([
          ['t1-1', true],
          ['t2-1', false],
          ['unknown', true],
        ]),
      );
      const verdicts = async () =>
        (await state.versions('r-1')).map(({ ticket, counted }) => [ticket, counted]);
      expect(await verdicts()).toEqual([
        ['t1-1', true],
        ['t3-1', false],
      ]);
      expect(await state.kept('r-1', 't1-1')).toEqual(content(1).kept);
      expect(await state.answer('r-1', 't1-1')).toBeNull();
      expect(await state.kept('r-1', 't2-1')).toBeNull();
      expect(await state.answer('r-1', 't3-1')).toEqual(content(3).answer);
      await state.settle(
        'r-1',
        new Map([
          ['t1-1', null],
          ['t3-1', null],
        ]),
      );
      expect(await verdicts()).toEqual([
        ['t1-1', false],
        ['t3-1', false],
      ]);
      expect(await state.kept('r-1', 't1-1')).toEqual(content(1).kept);
      expect(await state.answer('r-1', 't3-1')).toEqual(content(3).answer);
    });

    it('keeps runs apart, and forgets one', async () => {
      for (const run of ['r-1', 'r-10', 'r-2']) await state.stage(run, version(1), content(1));
      expect((await state.runs()).toSorted()).toEqual(['r-1', 'r-10', 'r-2']);
      await state.forget('r-1');
      expect((await state.runs()).toSorted()).toEqual(['r-10', 'r-2']);
      expect(await state.kept('r-1', 't1-1')).toBeNull();
      expect(await state.answer('r-1', 't1-1')).toBeNull();
      expect(await state.kept('r-10', 't1-1')).toEqual(content(1).kept);
    });

    it('does not keep numbers that the caller may change', async () => {
      const { kept, answer } = content(1);
      await state.stage('r-1', version(1), { kept, answer });
      kept.strategy.tensors.c.fill(9);
      answer.frame.fill(9);
      expect(await state.kept('r-1', 't1-1')).toEqual(content(1).kept);
      expect(await state.answer('r-1', 't1-1')).toEqual(content(1).answer);
    });
  });
}

/** The contract of every `KeptMonitors`. `open` returns an empty one; `reopen` the same, as after a restart of the program. */
export function keptMonitorsContract(
  name: string,
  open: () => Promise<{
    kept: KeptMonitors;
    reopen: () => Promise<KeptMonitors>;
    close: () => Promise<void>;
  }>,
): void {
  describe(`KeptMonitors contract: ${name}`, () => {
    let under: Awaited<ReturnType<typeof open>>;
    beforeEach(async () => {
      under = await open();
    });
    afterEach(() => under.close());

    /** A monitor after `predictions` predictions. */
    const after = (predictions: number): KeptMonitor => {
      const terms = termsOf(watchOf(binningOf(0)), toy);
      if (terms === null) throw new Error('there are no terms');
      const counting = new Counting(toy, terms);
      for (let i = 0; i < predictions; i++)
        counting.observe({ hash: RELEASED, example: Float32Array.of(i), output: [i], id: `p${i}` });
      return counting.kept();
    };

    it('is empty at first', async () => {
      expect(await under.kept.get('toy')).toBeNull();
    });

    it('gives back the last that was put, by task, also after the program was ended', async () => {
      await under.kept.put('toy', after(3));
      await under.kept.put('toy', after(4));
      await under.kept.put('other', after(1));
      for (const opened of [async () => under.kept, under.reopen]) {
        const kept = await opened();
        expect(await kept.get('toy')).toEqual(after(4));
        expect(await kept.get('other')).toEqual(after(1));
        expect(Counting.read(await kept.get('toy'), 'toy')?.counted.observations).toBe(4);
      }
    });

    it('removes one task', async () => {
      await under.kept.put('toy', after(3));
      await under.kept.put('other', after(1));
      await under.kept.remove('toy');
      await under.kept.remove('unknown');
      expect(await under.kept.get('toy')).toBeNull();
      expect(await under.kept.get('other')).toEqual(after(1));
    });

    it('does not keep what the caller may change', async () => {
      const given = after(3);
      await under.kept.put('toy', given);
      given.monitor.counts[0]?.fill(9);
      expect(await under.kept.get('toy')).toEqual(after(3));
    });
  });
}

/** The contract of every `KeptInputs`. `open` returns an empty one with room for `most` bytes; `reopen` the same, as after a restart. */
export function keptInputsContract(
  name: string,
  open: (most: number) => Promise<{
    inputs: KeptInputs;
    reopen: () => Promise<KeptInputs>;
    close: () => Promise<void>;
  }>,
): void {
  describe(`KeptInputs contract: ${name}`, () => {
    let under: Awaited<ReturnType<typeof open>>;
    beforeEach(async () => {
      under = await open(48);
    });
    afterEach(() => under.close());

    /** An input of 16 bytes. */
    const input = (at: number) => ({ id: `p${at}`, at, example: Float32Array.of(at, 1, 2, 3) });
    const left = async (task: string, ats: readonly number[]) => {
      const found: number[] = [];
      for (const at of ats) if ((await under.inputs.take(task, `p${at}`)) !== null) found.push(at);
      return found;
    };

    it('gives an input once, also after the program was ended', async () => {
      await under.inputs.add('toy', [input(1), input(2)]);
      expect(await under.inputs.take('other', 'p1')).toBeNull();
      expect(await under.inputs.take('toy', 'p1')).toEqual(input(1));
      const later = await under.reopen();
      expect(await later.take('toy', 'p1')).toBeNull();
      expect(await later.take('toy', 'p2')).toEqual(input(2));
    });

    it('keeps bytes of pictures', async () => {
      const picture = { id: 'a', at: 1, example: Uint8Array.of(1, 2, 255) };
      await under.inputs.add('toy', [picture]);
      expect(await under.inputs.take('toy', 'a')).toEqual(picture);
    });

    it('has room for so many bytes of a task, and lets the oldest go', async () => {
      await under.inputs.add('other', [input(1)]);
      await under.inputs.add('toy', [input(5), input(2), input(4)]);
      await under.inputs.add('toy', [input(3), input(6)]);
      expect(await left('toy', [2, 3, 4, 5, 6])).toEqual([4, 5, 6]);
      expect(await left('other', [1])).toEqual([1]);
    });

    it('deletes those from before a time', async () => {
      await under.inputs.add('toy', [input(1), input(2), input(3)]);
      await under.inputs.add('other', [input(1)]);
      await under.inputs.expire('toy', 2);
      expect(await left('toy', [1, 2, 3])).toEqual([2, 3]);
      expect(await left('other', [1])).toEqual([1]);
    });

    it('deletes all of a task', async () => {
      await under.inputs.add('toy', [input(1), input(2)]);
      await under.inputs.add('toy-2', [input(1)]);
      await under.inputs.remove('toy');
      expect(await left('toy', [1, 2])).toEqual([]);
      expect(await left('toy-2', [1])).toEqual([1]);
    });

    it('does not keep what the caller may change', async () => {
      const given = input(1);
      await under.inputs.add('toy', [given]);
      given.example.fill(9);
      expect(await under.inputs.take('toy', 'p1')).toEqual(input(1));
    });
  });
}

/** A transport under test, with the coordinator's end of its line. */
export interface TransportUnderTest {
  transport: Transport;
  peer: LoopbackPeer;
  close(): Promise<void>;
}

export const welcome: Down<'welcome'> = {
  protocol: PROTOCOL_VERSION,
  participant: '0'.repeat(32),
  operator: 'someone',
  now: 5,
  runs: [],
};

/** A payload of a little over two pieces, in which no two adjacent bytes are equal. */
const large = Uint8Array.from({ length: 2 * PIECE_BYTES + 40_000 }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
const expectation = {
  layoutHash: new Uint8Array(16).fill(7),
  parameters: large.byteLength / 4,
} as const;
const headerOf = { codec: 'float32', ...expectation } as const;
const largeAnswer: Answer = {
  run: 'r-1',
  ticket: 't1-1.seal',
  weight: 3,
  milliseconds: 1,
  frame: encodeFrame({ kind: 'contribution', ...headerOf, payload: large }),
};

/** A coordinator that accepts a large answer, and breaks the connection before it acknowledges piece `dropAt`. */
function receiver(peer: LoopbackPeer, dropAt: number | null = null) {
  const pieces: number[] = [];
  const received = new Uint8Array(large.byteLength);
  let next = 0;
  const complete = () => next * PIECE_BYTES >= large.byteLength;
  peer.answer('answer', ({ frame }) => {
    if (!isHeaderAlone(frameBytes(frame))) throw new Error('the frame came whole');
    return { ok: true, value: { duplicate: false, next: complete() ? null : next } };
  });
  peer.answer('answer-piece', ({ piece, bytes }) => {
    pieces.push(piece);
    if (piece === dropAt) {
      dropAt = null;
      peer.drop();
      return new Promise(() => {});
    }
    if (piece === next) {
      received.set(frameBytes(bytes), piece * PIECE_BYTES);
      next++;
    }
    return { ok: true, value: { next } };
  });
  return { pieces, received };
}

/** The contract of every `Transport`. */
export function transportContract(name: string, make: () => Promise<TransportUnderTest>): void {
  describe(`Transport contract: ${name}`, () => {
    let under: TransportUnderTest;
    const seen: string[] = [];
    const waiting: (() => void)[] = [];
    const note = (what: string) => {
      seen.push(what);
      for (const wake of waiting.splice(0)) wake();
    };
    /** Resolves when `what` has occurred `times` times. */
    const sees = async (what: string, times = 1): Promise<void> => {
      while (seen.filter((one) => one === what).length < times)
        await new Promise<void>((resolve) => waiting.push(resolve));
    };
    const open = (onMessage: (name: string, message: unknown) => void = () => {}) =>
      under.transport.open({
        onWelcome: () => note('welcome'),
        onLost: () => note('lost'),
        onRefused: (error: WireError) => note(`refused ${error.code}`),
        onMessage: (which, message) => {
          onMessage(which, message);
          note(which);
        },
      });

    beforeEach(async () => {
      seen.length = 0;
      under = await make();
    });
    afterEach(async () => {
      under.transport.close();
      await under.close();
    });

    it('welcomes, asks and gets the answer, bytes intact', async () => {
      const frame = new Uint8Array([1, 2, 3, 250]);
      under.peer.answer('pull', ({ run }) => ({
        ok: true,
        value: { round: run.length, checkpoint: 'a'.repeat(64), frame },
      }));
      open();
      under.peer.welcome(welcome);
      await sees('welcome');
      const reply = await under.transport.request('pull', { run: 'r-1' });
      expect(reply.ok && [reply.value.round, [...new Uint8Array(reply.value.frame)]]).toEqual([
        3,
        [1, 2, 3, 250],
      ]);
      expect(under.transport.traffic.sent.messages).toBeGreaterThan(0);
      expect(under.transport.traffic.received.bytes).toBeGreaterThan(0);
    });

    it('refuses a frame that is too large for a message before it is sent', async () => {
      open();
      under.peer.welcome(welcome);
      await sees('welcome');
      await expect(under.transport.request('answer', largeAnswer)).rejects.toMatchObject({
        code: 'frame-too-large',
      });
    });

    it('carries a large answer in pieces, and says how far it is', async () => {
      const { pieces, received } = receiver(under.peer);
      open();
      under.peer.welcome(welcome);
      await sees('welcome');
      const told: [number, number][] = [];
      const { request } = under.transport;
      const reply = await sendAnswer(request, largeAnswer, { onPiece: (done, of) => told.push([done, of]) });
      expect(reply).toEqual({ ok: true, value: { duplicate: false, next: null } });
      expect(pieces).toEqual([0, 1, 2]);
      expect(told).toEqual([
        [0, 3],
        [1, 3],
        [2, 3],
        [3, 3],
      ]);
      expect(Buffer.compare(received, large)).toBe(0);
      expect(under.transport.traffic.sent.bytes).toBeGreaterThan(large.byteLength);
    });

    it('goes on with a large answer where the line broke', async () => {
      const { pieces, received } = receiver(under.peer, 2);
      open();
      under.peer.welcome(welcome);
      await sees('welcome');
      const { request } = under.transport;
      await expect(sendAnswer(request, largeAnswer)).rejects.toMatchObject({ code: 'connection-lost' });
      await sees('lost');
      under.peer.welcome(welcome);
      await sees('welcome', 2);
      expect(await sendAnswer(request, largeAnswer)).toMatchObject({ ok: true });
      expect(pieces).toEqual([0, 1, 2, 2]);
      expect(Buffer.compare(received, large)).toBe(0);
    });

    it('fetches a large parcel in pieces, once for all who want it, and goes on where the line broke', async () => {
      const asked: number[] = [];
      let dropAt: number | null = 2;
      under.peer.answer('parcel', ({ piece }) => {
        asked.push(piece);
        if (piece === dropAt) {
          dropAt = null;
          under.peer.drop();
          return new Promise(() => {});
        }
        return {
          ok: true,
          value: { bytes: large.subarray(piece * PIECE_BYTES, (piece + 1) * PIECE_BYTES) },
        };
      });
      open();
      under.peer.welcome(welcome);
      await sees('welcome');
      const header = encodeHeader({
        kind: 'weights',
        ...headerOf,
        payloadBytes: large.byteLength,
        payloadChecksum: 1,
      });
      const fetcher = new ParcelFetcher(under.transport.request);
      const fetch = () =>
        fetcher.fetch('r-1', { hash: 'a'.repeat(64), frame: header }, { kind: 'weights', ...expectation });
      await expect(fetch()).rejects.toMatchObject({ code: 'connection-lost' });
      await sees('lost');
      under.peer.welcome(welcome);
      await sees('welcome', 2);
      const [one, other] = await Promise.all([fetch(), fetch()]);
      expect(asked).toEqual([0, 1, 2, 2]);
      expect(Buffer.compare(one.subarray(40), large)).toBe(0);
      expect(other).toBe(one);
    });

    it('passes on named refusals of a message as answers', async () => {
      under.peer.answer('leave', () => ({ ok: false, error: { code: 'run-unknown', message: 'no' } }));
      open();
      under.peer.welcome(welcome);
      await sees('welcome');
      expect(await under.transport.request('leave', { run: 'r-1' })).toEqual({
        ok: false,
        error: { code: 'run-unknown', message: 'no' },
      });
    });

    it('hands over checked messages, in order', async () => {
      const got: unknown[] = [];
      open((_name, message) => got.push(message));
      under.peer.welcome(welcome);
      await sees('welcome');
      for (let joined = 0; joined < 5; joined++)
        under.peer.push('peers', { run: 'r-1', joined, working: 0, done: 0 });
      await sees('peers', 5);
      expect(got.map((message) => (message as { joined: number }).joined)).toEqual([0, 1, 2, 3, 4]);
    });

    it('reads no more of a message than it knows, and ignores one that it does not know', async () => {
      const got: unknown[] = [];
      open((_name, message) => got.push(message));
      under.peer.welcome(welcome);
      await sees('welcome');
      const peers = { run: 'r-1', joined: 1, working: 0, done: 0 };
      under.peer.push('weather' as never, { run: 'r-1', sky: 'blue' } as never);
      under.peer.push('peers', { ...peers, sleeping: 3 } as never);
      await sees('peers');
      expect(got).toEqual([peers]);
    });

    it('hands on a question of a kind that it does not know', async () => {
      const got: unknown[] = [];
      open((_name, message) => got.push(message));
      under.peer.welcome(welcome);
      await sees('welcome');
      under.peer.push('ask', { ...sampleDown.ask, kind: 'mask', given: { masks: [1] } } as never);
      await sees('ask');
      expect(got).toMatchObject([{ kind: 'mask', ticket: sampleDown.ask.ticket, given: {} }]);
    });

    it('turns a message that is not valid into a notice', async () => {
      const got: unknown[] = [];
      open((_name, message) => got.push(message));
      under.peer.welcome(welcome);
      await sees('welcome');
      under.peer.push('peers', { run: 'r-1', joined: 'many' } as never);
      await sees('notice');
      expect(got[0]).toMatchObject({ code: 'message-invalid' });
    });

    it('says that a request was lost when the line breaks, and comes back', async () => {
      open();
      under.peer.welcome(welcome);
      await sees('welcome');
      const request = under.transport.request('leave', { run: 'r-1' });
      const outcome = expect(request).rejects.toMatchObject({ code: 'connection-lost' });
      under.peer.drop();
      await outcome;
      await sees('lost');
      await expect(under.transport.request('leave', { run: 'r-1' })).rejects.toMatchObject({
        code: 'connection-lost',
      });
      under.peer.welcome(welcome);
      await sees('welcome', 2);
    });

    it('gives up when refused for good', async () => {
      open();
      under.peer.refuse({ code: 'protocol-too-old', message: 'Reload.' });
      await sees('refused protocol-too-old');
      await expect(under.transport.request('leave', { run: 'r-1' })).rejects.toMatchObject({
        code: 'connection-lost',
      });
    });
  });
}
