import { readFileSync } from 'node:fs';
import { integerBelow, normal, type RandomSource, seededRandom } from '@coppice/ports';
import {
  type Codec,
  CoppiceError,
  codecs,
  encodedBytes,
  entriesOf,
  type Layout,
  modelSize,
  payloadBytes,
} from '@coppice/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { finish } from '../steps.ts';
import { ExactAccumulator, SLICE } from '../sums/accumulator.ts';
import { payloadValues } from './decode.ts';
import { encodeValues } from './encode.ts';
import { toFloat32 } from './values.ts';

const names = Object.keys(codecs) as Codec[];
const trained = (length: number): Layout => [{ name: 'all', shape: [length], trainable: true }];
const encoded = (codec: Codec, values: Float32Array, seed: number) =>
  encodeValues(codec, values, trained(values.length), seed);
const decoded = (codec: Codec, parameters: number, payload: Uint8Array) =>
  toFloat32(payloadValues({ codec, payload }, trained(parameters)));
const roundTrip = (codec: Codec, values: Float32Array, seed = 1) =>
  decoded(codec, values.length, encoded(codec, values, seed));

function squaredError(sent: Float32Array, arrived: Float32Array): number {
  let error = 0;
  let squares = 0;
  for (let i = 0; i < sent.length; i++) {
    error += ((arrived[i] as number) - (sent[i] as number)) ** 2;
    squares += (sent[i] as number) ** 2;
  }
  return error / squares;
}

// Errors that were measured elsewhere, in NumPy, over vectors of three distributions; see the file.
const published = JSON.parse(
  readFileSync(new URL('../fixtures/compression.json', import.meta.url), 'utf8'),
) as { measured: { dist: string; d: number; nmse: Record<string, number> }[] };
const draw: Record<string, (random: RandomSource) => number> = {
  normal,
  'lognormal(0,1)': (random) => Math.exp(normal(random)),
  'laplace-sparse(90%~0)': (random) => {
    const sign = integerBelow(random, 2) === 0 ? 1 : -1;
    const laplace = -sign * Math.log(1 - integerBelow(random, 2 ** 24) / 2 ** 24);
    return integerBelow(random, 10) === 0 ? laplace : laplace * 1e-3;
  },
};

describe.each(published.measured)('the error of $dist', ({ dist, d, nmse }) => {
  const vectors = 10;
  const mean = (codec: Codec) => {
    let sum = 0;
    for (let i = 0; i < vectors; i++) {
      const random = seededRandom('error', dist, i);
      const values = Float32Array.from({ length: d }, () => (draw[dist] as typeof normal)(random));
      sum += squaredError(values, roundTrip(codec, values, random.uint32()));
    }
    return sum / vectors;
  };

  it('is what EDEN has with 4 bits', () => {
    expect(mean('int4') / (nmse['eden_4b'] as number)).toBeGreaterThan(0.95);
    expect(mean('int4') / (nmse['eden_4b'] as number)).toBeLessThan(1.05);
  });
  it('is at most that of stochastic rounding to 8 bits with one range for all', () => {
    // Theirs reaches from the smallest to the largest; ours is symmetric: twice as wide where nothing is negative.
    const bound = (nmse['SQ_8b'] as number) * (dist.startsWith('lognormal') ? 4 : 1);
    expect(mean('int8')).toBeLessThan(bound);
    expect(mean('int8')).toBeGreaterThan(bound / 10);
  });
  it('is that of float16', () => {
    expect(mean('float16') / (nmse['float16'] as number)).toBeGreaterThan(0.9);
    expect(mean('float16') / (nmse['float16'] as number)).toBeLessThan(1.1);
  });
  it('is that of the largest values alone', () => {
    for (const [codec, name] of [
      ['top1', 'top1%'],
      ['top10', 'top10%'],
    ] as const) {
      // What is nearly nothing depends on how small the small values are.
      const expected = nmse[name] as number;
      if (expected > 1e-3) expect(Math.abs(mean(codec) / expected - 1)).toBeLessThan(0.15);
      else expect(mean(codec)).toBeLessThan(1e-3);
    }
  });
});

/** The numbers at these places, among zeros. */
function sparse(length: number, entries: Readonly<Record<number, number>>): Float32Array {
  const values = new Float32Array(length);
  for (const [at, value] of Object.entries(entries)) values[Number(at)] = value;
  return values;
}
function drawn(length: number, power: number): Float32Array {
  const random = seededRandom('drawn', length, power);
  return Float32Array.from({ length }, () => normal(random) ** power);
}

describe('quantized values', () => {
  /**
   * The squared bias, its standard error, and the squared error of one seed. The inner product of the errors of two seeds is the
   * squared bias on average, so the mean over all pairs estimates it; without bias the products of different pairs are
   * not correlated.
   */
  function squaredBias(codec: Codec, values: Float32Array, seeds: number) {
    const random = seededRandom('seeds');
    const sum = new Float64Array(values.length);
    let squares = 0;
    let products = 0;
    let before: Float64Array | null = null;
    for (let i = 0; i < seeds; i++) {
      const arrived = roundTrip(codec, values, random.uint32());
      const error = Float64Array.from(arrived, (value, at) => value - (values[at] as number));
      let product = 0;
      for (const [at, value] of error.entries()) {
        sum[at] = (sum[at] as number) + value;
        squares += value * value;
        product += value * (before?.[at] ?? 0);
      }
      products += product * product;
      before = error;
    }
    const ofSum = sum.reduce((total, value) => total + value * value, 0);
    const pairs = seeds * (seeds - 1);
    return {
      bias: (ofSum - squares) / pairs,
      standardError: Math.sqrt((2 * products) / (seeds - 1) / pairs),
      one: squares / seeds,
    };
  }

  const vectors: Record<string, Float32Array> = {
    'three numbers': Float32Array.of(0.5, -1, 0.25),
    'one large and one small': Float32Array.of(1, 0.05),
    'tiny numbers': Float32Array.of(1e-20, 3e-21, -2e-20),
    'two of 64': sparse(64, { 5: 1, 40: 0.45 }),
    '64 heavy-tailed': drawn(64, 5),
    '200 dense': drawn(200, 3),
    'two of 1000': sparse(1000, { 1: 1, 999: 0.2 }),
    'two of 4096': sparse(4096, { 5: 1, 4000: 0.45 }),
    'five of 4096': sparse(4096, { 5: 1, 9: 0.3, 10: -0.2, 2000: 0.7, 4000: 0.45 }),
    'a spike among 4096': sparse(4096, { 77: 1 }),
    '4096 alike': new Float32Array(4096).fill(0.1),
    '4096 dense': drawn(4096, 1),
    '4096 heavy-tailed': drawn(4096, 5),
  };
  it.each(
    (['int8', 'int4'] as const).flatMap((codec) =>
      Object.keys(vectors).map((name) => [codec, name] as const),
    ),
  )('%s: %s, right on average over the random bits', (codec, name) => {
    const values = vectors[name] as Float32Array;
    const { bias, standardError, one } = squaredBias(codec, values, values.length < 1000 ? 4000 : 400);
    const ofShortBlock = codec === 'int4' && values.length < 1000 ? 0.02 * one : 0;
    const ofFloat32 = values.reduce((sum, value) => sum + value * value, 0) * 2 ** -46;
    expect(standardError).toBeLessThan(0.005 * one + ofFloat32);
    expect(bias).toBeLessThan(ofShortBlock + ofFloat32 + 4 * standardError);
  });

  it('depend on the seed and nothing else', () => {
    const values = Float32Array.from({ length: 5000 }, (_, i) => Math.sin(i));
    for (const codec of ['int8', 'int4'] as const) {
      expect(encoded(codec, values, 5)).toEqual(encoded(codec, values, 5));
      expect(encoded(codec, values, 5)).not.toEqual(encoded(codec, values, 6));
    }
  });

  it('are zeros where all is zero, and keep a lone number', () => {
    for (const codec of names) {
      expect([...roundTrip(codec, new Float32Array(9))].map(Math.abs)).toEqual(new Array(9).fill(0));
      expect(roundTrip(codec, new Float32Array([0.75]))[0]).toBeCloseTo(0.75, 2);
    }
  });

  it('that are not finite are not sent', () => {
    for (const codec of names) {
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
        expect(() => encoded(codec, new Float32Array([1, bad]), 1)).toThrow(
          expect.objectContaining({ code: 'training-diverged' }),
        );
      }
    }
  });
});

it('takes the largest values, of equal ones the first, exactly', () => {
  const number = fc.oneof(fc.constantFrom(0, 1, -1, 0.5), fc.float({ noNaN: true, noDefaultInfinity: true }));
  fc.assert(
    fc.property(fc.array(number, { minLength: 1, maxLength: 300 }), (numbers) => {
      const values = Float32Array.from(numbers);
      for (const codec of ['top1', 'top10'] as const) {
        const kept = [...values.keys()]
          .sort((a, b) => Math.abs(values[b] as number) - Math.abs(values[a] as number) || a - b)
          .slice(0, entriesOf(codec, values.length));
        const expected = values.map((value, i) => (kept.includes(i) ? value : 0));
        expect(roundTrip(codec, values)).toEqual(expected);
      }
    }),
  );
});

it.each(names)('%s has as many bytes as the protocol says, and sums as it reads', (codec) => {
  for (const length of [1, 8, 9, 99, 100, 1023, 1025, 4096, 4099, SLICE, SLICE + 1030, 3 * SLICE - 1]) {
    const values = Float32Array.from({ length }, (_, i) => Math.sin(i + length));
    const payload = encoded(codec, values, length);
    expect(payload.length).toBe(encodedBytes(codec, length));
    // At an odd address, as it may come from a socket.
    const moved = new Uint8Array(payload.length + 1);
    moved.set(payload, 1);
    const sum = new ExactAccumulator(length);
    finish(sum.addInSteps(payloadValues({ codec, payload: moved.subarray(1) }, trained(length)), 3));
    const plain = new ExactAccumulator(length);
    plain.add(decoded(codec, length, payload), 3);
    expect(sum.partial()).toEqual(plain.partial());
  }
});

it.each(names)(
  'any bytes as %s are numbers or refused by name, and nothing of what is refused stays',
  (codec) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.infiniteStream(fc.nat(255)), (parameters, stream) => {
        const payload = Uint8Array.from(
          { length: encodedBytes(codec, parameters) },
          () => stream.next().value as number,
        );
        const sum = new ExactAccumulator(parameters);
        try {
          finish(sum.addInSteps(payloadValues({ codec, payload }, trained(parameters)), 5));
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(CoppiceError);
          expect(sum.updates).toBe(0);
          expect(sum.partial().low.every((low) => low === 0)).toBe(true);
        }
        expect(() => payloadValues({ codec, payload: payload.subarray(1) }, trained(parameters))).toThrow(
          CoppiceError,
        );
      }),
    );
  },
);

it.each(names)('%s leaves alone what is not trained, wherever it lies', (codec) => {
  const random = seededRandom('layouts', codec);
  for (let trial = 0; trial < 12; trial++) {
    const most = [5, 3000, 9000][trial % 3] as number;
    const layout: Layout = Array.from({ length: 1 + integerBelow(random, 12) }, (_, i) => ({
      name: `w${i}`,
      shape: [1 + integerBelow(random, most)],
      trainable: trial === 11 ? false : integerBelow(random, 3) > 0,
    }));
    const size = modelSize(layout);
    // Statistics are a million times larger than steps.
    const values = new Float32Array(size.parameters);
    const trainable: number[] = [];
    let at = 0;
    for (const tensor of layout) {
      for (const end = at + (tensor.shape[0] as number); at < end; at++) {
        values[at] = normal(random) * (tensor.trainable ? 1e-3 : 1e3);
        if (tensor.trainable) trainable.push(at);
      }
    }
    const payload = encodeValues(codec, values, layout, trial);
    expect(payload.length).toBe(payloadBytes(codec, size));
    const arrived = toFloat32(payloadValues({ codec, payload }, layout));
    const alone = roundTrip(
      codec,
      Float32Array.from(trainable, (i) => values[i] as number),
      trial,
    );
    const expected = values.slice();
    for (const [i, place] of trainable.entries()) expected[place] = alone[i] as number;
    expect(arrived).toEqual(expected);
    const sum = new ExactAccumulator(size.parameters);
    finish(sum.addInSteps(payloadValues({ codec, payload }, layout), 2));
    const plain = new ExactAccumulator(size.parameters);
    plain.add(arrived, 2);
    expect(sum.partial()).toEqual(plain.partial());
  }
});
