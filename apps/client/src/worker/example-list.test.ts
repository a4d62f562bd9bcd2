import { memoryData } from '@coppice/participant';
import { seededRandom } from '@coppice/ports';
import type { DataSchema } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { listExamples } from './example-list.ts';

const schema: DataSchema = { kind: 'image', width: 1, height: 2, channels: 1, classes: ['a', 'b'] };

async function five() {
  const times = [10, null];
  const data = memoryData(schema, undefined, {
    random: seededRandom('list'),
    now: () => times.shift() ?? null,
  });
  const pixels = (...first: number[]) => Uint8Array.from(first.flatMap((value) => [value, value + 1]));
  await data.add({ count: 3, features: pixels(10, 20, 30), labels: new Float32Array([0, 1, 0]) }, 'images');
  await data.add({ count: 2, features: pixels(40, 50), labels: new Float32Array([1, 1]) }, 'drawn');
  return data.examples();
}

it('lists the newest first, a part at a time', async () => {
  const { total, examples } = listExamples(await five(), { label: null, from: 1, count: 2 });
  expect(total).toBe(5);
  expect(examples.map(({ features, label, source, time }) => [[...features], label, source, time])).toEqual([
    [[40, 41], 1, 'drawn', null],
    [[30, 31], 0, 'images', 10],
  ]);
});

it('lists one class, with ids that delete what is shown', async () => {
  const all = await five();
  const { total, examples } = listExamples(all, { label: 1, from: 0, count: 10 });
  expect(total).toBe(3);
  expect(examples.map(({ features }) => features[0])).toEqual([50, 40, 20]);
  expect(new Set(examples.map(({ id }) => id)).size).toBe(3);
  const ids = Buffer.from(all.ids);
  expect(examples[2]?.id).toBe(ids.subarray(16, 32).toString('hex'));
});

it('is empty where there is nothing', async () => {
  const nothing = await memoryData(schema).examples();
  expect(listExamples(nothing, { label: null, from: 0, count: 10 })).toEqual({ total: 0, examples: [] });
});
