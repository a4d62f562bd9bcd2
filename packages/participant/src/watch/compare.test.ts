import { createHmac } from 'node:crypto';
import {
  type Compared,
  comparisonEvidence,
  comparisonLayout,
  MAX_COMPARED,
  refusesComparison,
} from '@coppice/continuity';
import { decodeMeasures } from '@coppice/federation';
import { seededRandom, uniform } from '@coppice/ports';
import {
  contributionHash,
  contributionSize,
  crc32,
  decodeFrame,
  frameBytes,
  type Task,
} from '@coppice/protocol';
import { createTrainer } from '@coppice/training';
import { describe, expect, it } from 'vitest';
import type { OwnDataset } from '../local-data.ts';
import type { TrainerHost } from '../trainer-host.ts';
import { answerCompare, type CompareWork } from './compare.ts';

/** A linear model of two numbers: classes by the larger of two outputs, or one value. */
const linear = (units: number, activation: string, inputs = 2) => ({
  class_name: 'Sequential',
  config: {
    name: 'toy',
    layers: [
      {
        class_name: 'Dense',
        config: { name: 'head', units, use_bias: false, activation, batch_input_shape: [null, inputs] },
      },
    ],
  },
});
const features = ['a', 'b'].map((name) => ({ name, mean: 0, scale: 1 }));
const classified = {
  id: 'toy',
  data: { kind: 'table', features, target: { kind: 'class', name: 'y', classes: ['no', 'yes'] } },
  model: linear(2, 'softmax'),
  loss: 'categoricalCrossentropy',
} as unknown as Task;
const numeric = {
  id: 'toy',
  data: { kind: 'table', features, target: { kind: 'number', name: 'y' } },
  model: linear(1, 'linear'),
  loss: 'meanSquaredError',
} as unknown as Task;

const secret = new Uint8Array(32).fill(7);
const compared = { production: 'ab'.repeat(32), candidate: 'cd'.repeat(32), number: 1, older: true };
const HELD_OUT = 0.5;
const SINCE = 1000;

/** Examples with drawn features, half of them before `SINCE`; some of no known time. */
function drawn(count: number, target: (a: number, b: number) => number): OwnDataset {
  const random = seededRandom('compared', count);
  const xs = Float32Array.from({ length: 2 * count }, () => 2 * uniform(random) - 1);
  const of = <T>(value: (a: number, b: number, row: number) => T) =>
    Array.from({ length: count }, (_, row) => value(xs[2 * row] as number, xs[2 * row + 1] as number, row));
  return {
    count,
    xs,
    ys: Float32Array.from(of(target)),
    ids: Uint8Array.from({ length: 16 * count }, () => Math.floor(256 * uniform(random))),
    times: Float64Array.from(of((_a, _b, row) => (row % 7 === 0 ? Number.NaN : row % 2 === 0 ? 999 : 1000))),
  };
}

/** By Node: the draw of an example. */
function drawOf({ ids }: OwnDataset, row: number): number {
  const code = createHmac('sha256', secret)
    .update(ids.subarray(16 * row, 16 * row + 16))
    .digest();
  return Number(code.readBigUInt64BE() >> 11n) / 2 ** 53;
}

/** Held-out rows of a slice, those with the smallest draws. */
function rowsOf(data: OwnDataset, recent: boolean): number[] {
  const held = [...data.ys.keys()].filter((row) => drawOf(data, row) < HELD_OUT);
  return held
    .filter((row) => (data.times[row] as number) >= SINCE === recent)
    .sort((a, b) => drawOf(data, a) - drawOf(data, b))
    .slice(0, MAX_COMPARED);
}

async function answered(task: Task, data: OwnDataset, more: Partial<CompareWork> = {}) {
  const description = { topology: task.model, data: task.data, loss: task.loss };
  const trainer = await createTrainer(description, { backend: 'planned', seed: 3 });
  const host = { use: (_: unknown, work: (it: typeof trainer) => unknown) => work(trainer) };
  try {
    return await answerCompare({
      task,
      compared,
      production: new Float32Array(0),
      candidate: new Float32Array(0),
      since: SINCE,
      data,
      secret,
      heldOut: HELD_OUT,
      host: host as unknown as TrainerHost,
      checksum: crc32,
      ...more,
    });
  } finally {
    trainer.dispose();
  }
}

/** The measures of an answer, which the coordinator does not refuse. */
function measuresIn(
  answer: Awaited<ReturnType<typeof answered>>,
  classes: number | null,
  asked: Compared = compared,
) {
  const layout = comparisonLayout(classes, asked);
  const { payload } = decodeFrame(
    frameBytes((answer as NonNullable<typeof answer>).frame),
    {
      kind: 'contribution',
      codec: 'float32',
      layoutHash: contributionHash(layout),
      parameters: contributionSize(layout),
      bytes: () => 4 * contributionSize(layout),
    },
    crc32,
  );
  const measures = decodeMeasures(layout, new Float32Array(payload.slice().buffer));
  expect(refusesComparison(measures, classes, asked)).toBeNull();
  return measures;
}

const sum = (values: readonly number[]) => values.reduce((all, one) => all + one, 0);

describe('an answer to a comparison', () => {
  // The larger number has the class of its place; the candidate takes them the other way round.
  const weights = { production: Float32Array.of(1, 0, 0, 1), candidate: Float32Array.of(0, 1, 1, 0) };
  const label = (a: number, b: number) => (a > 0.3 ? (a > b ? 1 : 0) : a > b ? 0 : 1);

  it('has the differences of both models on held-out examples, by slice and by class', async () => {
    const data = drawn(60, label);
    const measures = measuresIn(await answered(classified, data, weights), 2);
    const { recent, older, classes, discordant } = comparisonEvidence(measures, 1);
    const differences = (rows: readonly number[]) =>
      rows.map((row) => {
        const [a, b] = [data.xs[2 * row] as number, data.xs[2 * row + 1] as number];
        return (a > b ? 0 : 1) === data.ys[row] ? -1 : 1;
      });
    const sides = [rowsOf(data, true), rowsOf(data, false)] as const;
    for (const [i, of] of [recent, older].entries()) {
      const rows = sides[i] as number[];
      expect(rows.length).toBeGreaterThan(5);
      expect(of?.clusters).toBe(1);
      expect(of?.examples).toBeCloseTo(Math.min(1, rows.length / 20), 5);
      expect(of?.sum).toBeCloseTo(sum(differences(rows)) / Math.max(20, rows.length), 5);
    }
    const better = sum(differences(sides[0])) > 0;
    expect(discordant).toEqual({ won: Number(better), lost: Number(!better) });
    const all = [...sides[0], ...sides[1]];
    for (const [index, of] of classes.entries()) {
      const rows = all.filter((row) => data.ys[row] === index);
      expect(of.examples).toBeCloseTo(Math.min(1, rows.length / 5), 5);
      expect(of.sum).toBeCloseTo(sum(differences(rows)) / Math.max(5, rows.length), 5);
    }
  });

  it('has the same examples whatever their place, and at most 200 of a slice', async () => {
    const data = drawn(1100, label);
    expect(rowsOf(data, true)).toHaveLength(MAX_COMPARED);
    const order = [...Array(data.count).keys()].reverse();
    const pick = <T extends Uint8Array | Float32Array | Float64Array>(of: T, width: number) =>
      (of.constructor as unknown as { from(values: number[]): T }).from(
        order.flatMap((row) => [...of.subarray(width * row, width * (row + 1))]),
      );
    const { xs, ys, ids, times } = data;
    const turned: OwnDataset = {
      count: data.count,
      xs: pick(xs as Float32Array, 2),
      ys: pick(ys, 1),
      ids: pick(ids, 16),
      times: pick(times, 1),
    };
    const [one, other] = [
      measuresIn(await answered(classified, data, weights), 2),
      measuresIn(await answered(classified, turned, weights), 2),
    ];
    expect(other).toEqual(one);
    const differences = rowsOf(data, true).map((row) =>
      ((xs[2 * row] as number) > (xs[2 * row + 1] as number) ? 0 : 1) === ys[row] ? -1 : 1,
    );
    expect(one.get('recent-sums')?.[0]).toBeCloseTo(sum(differences) / MAX_COMPARED, 6);
  });

  it('has the differences of each group that the task declares, by its column of the model’s inputs', async () => {
    const task = {
      ...numeric,
      data: {
        kind: 'table',
        features: [
          { name: 'a', mean: 0, scale: 1 },
          { kind: 'category', name: 'device', values: ['phone', 'tablet'] },
        ],
        target: { kind: 'number', name: 'y' },
        groups: 'device',
      },
      model: linear(1, 'linear', 4),
    } as unknown as Task;
    const plain = drawn(60, (a) => a);
    // Of four examples two are of tablets, one is of a phone and one of another device.
    const groupOf = (row: number) => [0, 1, 1, 2][row % 4] as number;
    const xs = Float32Array.from({ length: 240 }, (_, i) => {
      const [row, input] = [Math.floor(i / 4), i % 4];
      return input === 0 ? (plain.xs[2 * row] as number) : input - 1 === groupOf(row) ? 1 : 0;
    });
    const data = { ...plain, xs };
    // Production is right; the candidate takes phones for 3 more, and is right of the others.
    const made = await answered(task, data, {
      production: Float32Array.of(1, 0, 0, 0),
      candidate: Float32Array.of(1, 3, 0, 0),
    });
    const { groups } = comparisonEvidence(measuresIn(made, null, { ...compared, groups: 3 }), 1);
    const held = [...rowsOf(data, true), ...rowsOf(data, false)];
    for (const group of [0, 1, 2]) {
      const count = held.filter((row) => groupOf(row) === group).length;
      expect(count).toBeGreaterThan(2);
      expect(groups?.[group]?.examples).toBeCloseTo(Math.min(1, count / 5), 5);
      expect(groups?.[group]?.sum).toBeCloseTo(group === 0 ? -count / Math.max(5, count) : 0, 5);
    }
  });

  it('counts all examples as recent where no time is given', async () => {
    const measures = measuresIn(await answered(classified, drawn(60, label), { ...weights, since: null }), 2);
    expect(measures.get('recent-sizes')).toEqual(Float64Array.of(1));
    expect(comparisonEvidence(measures, 1).older?.clusters).toBe(0);
  });

  it('is of recent examples alone where the question says so', async () => {
    const data = drawn(60, label);
    const recentAlone = { ...compared, older: false };
    const answer = await answered(classified, data, { ...weights, compared: recentAlone });
    const measures = measuresIn(answer, 2, recentAlone);
    const rows = rowsOf(data, true);
    const hits = rows.filter((row) => {
      const [a, b] = [data.xs[2 * row] as number, data.xs[2 * row + 1] as number];
      return (a > b ? 0 : 1) === data.ys[row];
    }).length;
    const { recent, older, classes, accuracies } = comparisonEvidence(measures, 1);
    expect(older).toBeNull();
    expect(recent.sum).toBeCloseTo((rows.length - 2 * hits) / Math.max(20, rows.length), 5);
    for (const [index, of] of classes.entries()) {
      const own = rows.filter((row) => data.ys[row] === index);
      expect(of.examples).toBeCloseTo(Math.min(1, own.length / 5), 5);
    }
    expect(accuracies.production.indexOf(1)).toBe(Math.min(9, Math.floor((10 * hits) / rows.length)));
    // Older examples alone are none.
    const old = { ...data, times: new Float64Array(data.count).fill(SINCE - 1) };
    expect(await answered(classified, old, { ...weights, compared: recentAlone })).toBeNull();
  });

  it('counts a model whose outputs are no numbers as wrong on all', async () => {
    const broken = { ...weights, candidate: new Float32Array(4).fill(Number.NaN) };
    const data = drawn(60, label);
    const { discordant, accuracies } = comparisonEvidence(
      measuresIn(await answered(classified, data, broken), 2),
      1,
    );
    expect(discordant).toEqual({ won: 0, lost: 1 });
    expect(accuracies.candidate[0]).toBe(1);
  });

  it('gives the hit of a numeric target to the model that is nearer', async () => {
    const data = drawn(60, (a, b) => (a > 0 ? a : 3 * b));
    const values = { production: Float32Array.of(1, 0), candidate: Float32Array.of(0, 1) };
    const measures = measuresIn(await answered(numeric, data, values), null);
    const { recent, classes } = comparisonEvidence(measures, 1);
    const rows = rowsOf(data, true);
    const differences = rows.map((row) => {
      const [a, b, y] = [data.xs[2 * row], data.xs[2 * row + 1], data.ys[row]] as [number, number, number];
      return Math.sign(Math.abs(a - y) - Math.abs(b - y));
    });
    expect(recent.examples).toBeCloseTo(Math.min(1, rows.length / 20), 5);
    expect(recent.sum).toBeCloseTo(sum(differences) / Math.max(20, rows.length), 5);
    expect(classes).toEqual([]);
    const same = { ...values, candidate: values.production };
    expect(comparisonEvidence(measuresIn(await answered(numeric, data, same), null), 1).recent.sum).toBe(0);
  });

  it('is none where nothing is held out, or less than may leave a device', async () => {
    const data = drawn(60, label);
    expect(await answered(classified, data, { ...weights, heldOut: 0 })).toBeNull();
    expect(await answered(classified, drawn(1, label), weights)).toBeNull();
    const few = drawn(12, label);
    expect(rowsOf(few, true).length + rowsOf(few, false).length).toBeLessThan(10);
    expect(await answered(classified, few, weights)).toBeNull();
  });
});
