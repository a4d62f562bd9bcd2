import { createHash } from 'node:crypto';
import { exampleSize } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { builtInTasks } from '../tasks/index.ts';
import { parseIdx } from './idx.ts';
import { hasTaskData, loadTaskData } from './load.ts';

const sum = (values: ArrayLike<number>) => Array.from(values).reduce((total, value) => total + value, 0);

describe('MNIST', () => {
  it('is whole', async () => {
    const { train, test } = await loadTaskData('mnist-2nn');
    expect([train.count, train.features.length, train.labels.length]).toEqual([60_000, 47_040_000, 60_000]);
    expect([test.count, test.features.length, test.labels.length]).toEqual([10_000, 7_840_000, 10_000]);
    // Counts per digit as published.
    const counts = (labels: Iterable<number>) => {
      const found = new Array<number>(10).fill(0);
      for (const label of labels) found[label] = (found[label] as number) + 1;
      return found;
    };
    expect(counts(train.labels)).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    expect(counts(test.labels)).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    expect([...train.labels.subarray(0, 10)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
  });

  it('has the published mean brightness, 0.1307', async () => {
    const { train } = await loadTaskData('mnist-2nn');
    let total = 0;
    for (const value of train.features) total += value;
    expect(total / train.features.length / 255).toBeCloseTo(0.1307, 4);
  });

  it('is loaded once for both of its tasks', async () => {
    expect(await loadTaskData('mnist-cnn')).toBe(await loadTaskData('mnist-2nn'));
  });
});

describe('Iris', () => {
  it('has 40 flowers of each kind to train on and 10 to measure with, none twice', async () => {
    const { train, test } = await loadTaskData('iris');
    for (const kind of [0, 1, 2]) {
      expect(train.labels.filter((label) => label === kind)).toHaveLength(40);
      expect(test.labels.filter((label) => label === kind)).toHaveLength(10);
    }
    // Sums of all 150 flowers, as published: nothing lost, nothing doubled.
    for (const [column, total] of [876.5, 458.6, 563.7, 179.9].entries()) {
      const values: number[] = [...train.features, ...test.features].filter((_, i) => i % 4 === column);
      expect(values).toHaveLength(150);
      expect(sum(values)).toBeCloseTo(total, 3);
    }
  });

  it('is split and ordered the same everywhere', async () => {
    const { train } = await loadTaskData('iris');
    const digest = createHash('sha256').update(new Uint8Array(train.labels.buffer)).digest('hex');
    expect(digest).toMatchInlineSnapshot(
      `"ce5a38c7dfc6b7c69194d0d4acbfdf5e20afd36eb7394e9c64a938a4a5ca109a"`,
    );
  });

  it('fits the means and scales of its task', async () => {
    const { train, test } = await loadTaskData('iris');
    const data = builtInTasks.find(({ id }) => id === 'iris')?.data;
    if (data?.kind !== 'table') throw new Error('iris is a table');
    for (const [column, feature] of data.features.entries()) {
      if (feature.kind === 'category') throw new Error('iris has numbers alone');
      const { mean, scale } = feature;
      const values: number[] = [...train.features, ...test.features].filter((_, i) => i % 4 === column);
      const found = sum(values) / 150;
      expect(found).toBeCloseTo(mean, 3);
      expect(Math.sqrt(sum(values.map((value) => (value - found) ** 2)) / 150)).toBeCloseTo(scale, 3);
    }
  });
});

it.each(builtInTasks)('$id comes with data of its schema', async (task) => {
  expect(hasTaskData(task.id)).toBe(true);
  const { train, test } = await loadTaskData(task.id);
  for (const part of [train, test]) {
    expect(part.features.length).toBe(part.count * exampleSize(task.data));
    expect(part.labels.length).toBe(part.count);
    expect(part.features).toBeInstanceOf(task.data.kind === 'image' ? Uint8Array : Float32Array);
  }
});

it('says which tasks have data where one has none', async () => {
  for (const task of ['nothing', 'toString']) {
    expect(hasTaskData(task)).toBe(false);
    await expect(loadTaskData(task)).rejects.toMatchObject({
      code: 'task-unknown',
      message: expect.stringContaining('iris'),
    });
  }
});

describe('an IDX file', () => {
  const file = Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6);

  it('is read by its header, wherever it lies in memory', () => {
    const shifted = new Uint8Array([99, ...file]).subarray(1);
    expect(parseIdx(shifted)).toEqual({ shape: [2, 3], values: Uint8Array.of(1, 2, 3, 4, 5, 6) });
  });

  it('is refused when it is something else or cut short', () => {
    for (const wrong of [file.subarray(0, 17), file.subarray(0, 9), file.subarray(0, 2), file.map(() => 7)]) {
      expect(() => parseIdx(wrong)).toThrow(expect.objectContaining({ code: 'data-invalid' }));
    }
  });
});
