import { seededRandom, shuffle, uniform } from '@coppice/ports';
import { type Codec, sectionsOf, type TensorSpec } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { payloadValues } from '../codecs/decode.ts';
import { encodeValues } from '../codecs/encode.ts';
import { toFloat32 } from '../codecs/values.ts';
import { median } from '../strategies/median.ts';
import { encodedRows } from './encoded-rows.ts';
import { ROW_SLICE, rowsInMemory } from './rows.ts';

const atOnce = () => Promise.resolve();

const parameters = 2 * ROW_SLICE + 123;
const tensor: TensorSpec = {
  name: 'w',
  shape: [parameters],
  role: 'step',
  group: 'model',
  unit: 2 ** -36,
  bound: null,
  weighted: 'weight',
  precision: 'single',
};
const section = sectionsOf([tensor])[0] as ReturnType<typeof sectionsOf>[number];
const layout = [{ name: 'w', shape: [parameters], trainable: true }];

/** The median as a statistician writes it: by sorting all of a column. */
function oracle(columns: readonly number[]): number {
  const sorted = [...columns].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return sorted.length % 2 === 1
    ? (sorted[Math.floor(half)] as number)
    : ((sorted[half - 1] as number) + (sorted[half] as number)) / 2;
}

const values = (n: number) => {
  const random = seededRandom('row', n);
  return Float32Array.from({ length: parameters }, () => uniform(random) - 0.5);
};

describe.each(['float32', 'float16', 'int8', 'int4'] as Codec[])('rows of %s payloads', (codec) => {
  it.each([1, 4, 7])('of %i participants have the median of what arrives, in any order', async (n) => {
    const before = 8;
    const payloads = Array.from({ length: n }, (_, i) => encodeValues(codec, values(i), layout, i));
    const rows = payloads.map((payload) => ({
      weight: 1,
      factor: 1,
      read: async (into: Uint8Array, at: number) =>
        into.set(payload.subarray(at - before, at - before + into.length)),
    }));
    const combine = median().server.combine as NonNullable<ReturnType<typeof median>['server']['combine']>;
    const combined = await combine(encodedRows(rows, { codec, section, before }), atOnce);
    const shuffled = shuffle([...rows], seededRandom('order', n));
    expect(await combine(encodedRows(shuffled, { codec, section, before }), atOnce)).toEqual(combined);
    const arrived = payloads.map((payload) => toFloat32(payloadValues({ codec, payload }, layout)));
    for (const at of [0, 1, ROW_SLICE - 1, ROW_SLICE, parameters - 1])
      expect(combined[at]).toBe(oracle(arrived.map((row) => row[at] as number)));
  });
});

it('a row that was shortened by its limits is shorter', async () => {
  const payload = encodeValues('float32', values(1), layout, 0);
  const rows = encodedRows(
    [
      {
        weight: 1,
        factors: { trainable: 0.5, nonTrainable: 0.5 },
        read: async (into, at) => into.set(payload.subarray(at, at + into.length)),
      },
    ],
    { codec: 'float32', section, before: 0 },
  );
  const [row] = await rows.read(0, 10);
  expect([...(row ?? [])]).toEqual([...values(1).subarray(0, 10)].map((value) => Math.fround(value * 0.5)));
});

it('one liar of three moves no parameter beyond the honest ones', async () => {
  const honest = [Float32Array.of(1, -2), Float32Array.of(1.5, -1)];
  const liar = Float32Array.of(1e30, -1e30);
  const combine = median().server.combine as NonNullable<ReturnType<typeof median>['server']['combine']>;
  const combined = await combine(
    rowsInMemory([...honest, liar].map((row) => ({ values: row, weight: 1e6 }))),
    atOnce,
  );
  expect([...combined]).toEqual([1.5, -2]);
});
