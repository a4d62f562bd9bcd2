import { readFileSync } from 'node:fs';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { readModelFile } from './read-model-file.ts';
import { unzip } from './unzip.ts';

const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const layer = (name: string, config: object = {}) => ({
  class_name: 'Dense',
  config: { name, units: 2, ...config },
});
const topology = {
  class_name: 'Sequential',
  config: { name: 'm', layers: [layer('one', { batch_input_shape: [null, 3] }), layer('two')] },
};
const weights = [
  { name: 'one/kernel', shape: [3, 2], dtype: 'float32' },
  { name: 'one/bias', shape: [2], dtype: 'float32' },
  { name: 'two/kernel', shape: [2, 2], dtype: 'float32' },
  { name: 'two/bias', shape: [2], dtype: 'float32' },
];
const numbers = Float32Array.from({ length: 14 }, (_, i) => i / 4);
const bytes = new Uint8Array(numbers.buffer);
const saved = (manifest: unknown) => text({ modelTopology: topology, weightsManifest: manifest });
const json = saved([{ paths: ['a.bin', 'b.bin'], weights }]);
const shards = [
  { name: 'folder/b.bin', bytes: bytes.subarray(30) },
  { name: 'folder/a.bin', bytes: bytes.subarray(0, 30) },
];
const refusal = async (files: { name: string; bytes: Uint8Array }[]) => {
  const thrown = await readModelFile(files).catch((error: unknown) => error);
  expect(thrown).toMatchObject({ code: 'model-invalid' });
  return (thrown as Error).message;
};

describe('a model.json', () => {
  it('has its weights from shards in any order, given as files or in an archive', async () => {
    const expected = weights.map(({ name, shape }, i) => ({
      name,
      shape,
      values: numbers.slice([0, 6, 8, 12][i], [6, 8, 12, 14][i]),
    }));
    const files = [...shards, { name: 'folder/model.json', bytes: json }];
    const archive = zipSync(Object.fromEntries(files.map((file) => [file.name, file.bytes])));
    for (const given of [files, [{ name: 'any', bytes: archive }]]) {
      const found = await readModelFile(given);
      expect(found).toEqual({ topology, weights: expected, format: 'tfjs' });
    }
  });

  it('alone is a description without weights', async () => {
    expect(await readModelFile([{ name: 'model.json', bytes: json }])).toMatchObject({ weights: null });
    expect(await readModelFile([{ name: 'm.json', bytes: text(topology) }])).toMatchObject({ topology });
  });

  it.each([
    [
      'a shard that is missing',
      [{ name: 'model.json', bytes: json }, shards[0] as never],
      /"a\.bin" .* missing/,
    ],
    [
      'shards that are too long',
      [
        { name: 'model.json', bytes: json },
        { name: 'a.bin', bytes },
        { name: 'b.bin', bytes: bytes.subarray(20) },
      ],
      /longer than model\.json says/,
    ],
    [
      'a shard cut short',
      [
        { name: 'model.json', bytes: saved([{ paths: ['a.bin'], weights }]) },
        { name: 'a.bin', bytes: bytes.subarray(0, 40) },
      ],
      /shorter than model\.json says/,
    ],
    [
      'a weight without a layer',
      [
        {
          name: 'model.json',
          bytes: saved([
            { paths: ['a.bin'], weights: [...weights, { name: 'x', shape: [], dtype: 'uint8' }] },
          ]),
        },
        { name: 'a.bin', bytes: Uint8Array.of(...bytes, 1) },
      ],
      /weight "x" belongs to none of its layers/,
    ],
    [
      'a layer without its weight',
      [
        { name: 'model.json', bytes: saved([{ paths: ['a.bin'], weights: weights.slice(0, 3) }]) },
        { name: 'a.bin', bytes: bytes.subarray(0, 48) },
      ],
      /weight "two\/bias" is missing/,
    ],
    [
      'weights of text',
      [
        {
          name: 'model.json',
          bytes: saved([
            { paths: ['a.bin'], weights: [{ name: 'one/kernel', shape: [1], dtype: 'string' }] },
          ]),
        },
        { name: 'a.bin', bytes },
      ],
      /type "string"/,
    ],
    ['JSON cut short', [{ name: 'model.json', bytes: json.subarray(0, 100) }], /damaged or cut short/],
    ['weights alone', [{ name: 'a.bin', bytes }], /weights alone/],
    ['something else', [{ name: 'model.h5', bytes }], /of another kind than its name/],
  ])('is refused with %s', async (_, files, message) => {
    expect(await refusal(files)).toMatch(message);
  });
});

describe('an archive', () => {
  const bomb = zipSync({ 'model.json': new Uint8Array(5_000_000) });

  it('is refused before it is unpacked where it would be too large', () => {
    expect(bomb.length).toBeLessThan(10_000);
    expect(() => unzip(bomb, 4_999_999)).toThrow(/larger than 4 MiB/);
    expect(unzip(bomb, 5_000_000).get('model.json')).toHaveLength(5_000_000);
  });

  it('never becomes larger than it states', () => {
    const lying = bomb.slice();
    // The size in the directory at the end of the archive: 46 bytes before the name, then 22 of the end.
    const directory = lying.length - 22 - 'model.json'.length - 46;
    new DataView(lying.buffer).setUint32(directory + 24, 100, true);
    expect(unzip(lying, 1000).get('model.json')).toHaveLength(100);
  });
});

it('refuses an .h5 of weights alone by saying so', async () => {
  const archive = new Uint8Array(readFileSync(new URL('../fixtures/mlp.keras', import.meta.url)));
  const inner = unzip(archive, 1e6).get('model.weights.h5') as Uint8Array;
  expect(await refusal([{ name: 'w.h5', bytes: inner }])).toMatch(/weights alone.*model\.save\(\)/);
});

it('ends on an .h5 whose tree of names comes back to the same parts again and again', async () => {
  const valid = new Uint8Array(readFileSync(new URL('../fixtures/mlp.h5', import.meta.url)));
  const root = Buffer.from(valid).indexOf('TREE');
  const [levels, entries] = [8, 64];
  const size = 24 + 16 * entries + 8;
  const bytes = new Uint8Array(valid.length + levels * size);
  bytes.set(valid);
  const view = new DataView(bytes.buffer);
  let below = root;
  for (let level = 1; level <= levels; level++) {
    const at = valid.length + (level - 1) * size;
    bytes.set(new TextEncoder().encode('TREE'), at);
    view.setUint8(at + 5, level);
    view.setUint16(at + 6, entries, true);
    for (let i = 0; i < entries; i++) view.setBigUint64(at + 24 + 16 * i + 8, BigInt(below), true);
    below = at;
  }
  // Whatever refers to the tree refers to the new one, which has 64⁸ leaves.
  for (let at = 0; at < valid.length - 8; at++) {
    if (view.getBigUint64(at, true) === BigInt(root)) view.setBigUint64(at, BigInt(below), true);
  }
  expect(await refusal([{ name: 'm.h5', bytes }])).toMatch(/refers to more parts than a model has/);
}, 60_000);
