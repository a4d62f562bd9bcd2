import type { ImageData as ImageSchema } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { type Picture, prepareImage } from './image.ts';
import { loadMnist } from './node/mnist.ts';
import { resample } from './resample.ts';
import { mnist2nn } from './tasks/mnist.ts';

const digits = mnist2nn.data as ImageSchema;

function picture(width: number, height: number, pixel: (x: number, y: number) => number[]): Picture {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data.set(pixel(x, y), (y * width + x) * 4);
  }
  return { width, height, data };
}

const grey = (value: number) => [value, value, value, 255];

/** An MNIST digit as someone may have drawn it: ten times as large, dark on light, off the middle. */
function drawn(digit: Uint8Array, options: { shift?: [number, number]; ink?: number; paper?: number } = {}) {
  const { shift = [35, -20], ink = 30, paper = 240 } = options;
  return picture(420, 400, (x, y) => {
    const column = Math.floor((x - 60 - shift[0]) / 10);
    const row = Math.floor((y - 60 - shift[1]) / 10);
    const inside = column >= 0 && column < 28 && row >= 0 && row < 28;
    const share = inside ? (digit[row * 28 + column] as number) / 255 : 0;
    return grey(paper + (ink - paper) * share);
  });
}

function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const mean = (values: ArrayLike<number>) =>
    Array.from(values).reduce((sum, v) => sum + v, 0) / values.length;
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [da, db] = [(a[i] as number) - ma, (b[i] as number) - mb];
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  return ab / Math.sqrt(aa * bb);
}

/** The best correlation when one of two pictures may be moved by one pixel: rounding a centre may go either way. */
function likeness(a: Uint8Array, b: Uint8Array): number {
  const shifts = [-1, 0, 1].flatMap((x) => [-28, 0, 28].map((y) => x + y));
  return Math.max(
    ...shifts.map((by) =>
      correlation(
        a,
        b.map((_, i) => b[(i + by + 784) % 784] as number),
      ),
    ),
  );
}

describe('a drawing for MNIST', async () => {
  const { test } = await loadMnist();
  const digit = (i: number) => test.features.subarray(i * 784, (i + 1) * 784) as Uint8Array;
  const shown = Array.from({ length: 40 }, (_, i) => i);

  it('comes out as the digit it was made from', () => {
    for (const i of shown)
      expect(likeness(prepareImage(drawn(digit(i)), digits), digit(i))).toBeGreaterThan(0.95);
  });

  it('is nearer to its own digit than to any other', () => {
    for (const i of shown) {
      const prepared = prepareImage(drawn(digit(i)), digits);
      const scores = Array.from({ length: 100 }, (_, other) => likeness(prepared, digit(other)));
      expect(scores.indexOf(Math.max(...scores))).toBe(i);
    }
  });

  it('is the same wherever it stands, whatever its ink and paper', () => {
    for (const i of shown.slice(0, 10)) {
      const reference = prepareImage(drawn(digit(i)), digits);
      for (const options of [
        { shift: [-50, 50] as [number, number] },
        { ink: 255, paper: 0 },
        { ink: 200, paper: 60 },
        { ink: 90, paper: 200 },
      ]) {
        expect(correlation(prepareImage(drawn(digit(i), options), digits), reference)).toBeGreaterThan(0.995);
      }
    }
  });

  it('leaves a digit that is prepared already nearly as it was', () => {
    for (const i of shown) {
      const original = picture(28, 28, (x, y) => grey(digit(i)[y * 28 + x] as number));
      expect(correlation(prepareImage(original, digits), digit(i))).toBeGreaterThan(0.99);
    }
  });
});

describe('drawings', () => {
  it('puts the centre of mass in the middle and keeps within 20 × 20', () => {
    const stroke = picture(300, 200, (x, y) => grey(x > 200 && x < 210 && y > 20 && y < 180 ? 0 : 255));
    const bytes = prepareImage(stroke, digits);
    let [mass, mx, my] = [0, 0, 0];
    const rows = new Set<number>();
    for (const [i, value] of bytes.entries()) {
      mass += value;
      mx += value * ((i % 28) + 0.5);
      my += value * (Math.floor(i / 28) + 0.5);
      if (value > 0) rows.add(Math.floor(i / 28));
    }
    // The middle of MNIST's pictures: the centre of pixel 14, counted from 0.
    expect(Math.abs(mx / mass - 14.5)).toBeLessThanOrEqual(0.5);
    expect(Math.abs(my / mass - 14.5)).toBeLessThanOrEqual(0.5);
    expect(rows.size).toBeLessThanOrEqual(20);
    expect(rows.size).toBeGreaterThanOrEqual(19);
    expect(Math.max(...bytes)).toBe(255);
  });

  it('takes transparency for paper', () => {
    const ink = picture(100, 100, (x, y) => [0, 0, 0, x > 40 && x < 60 && y > 20 && y < 80 ? 255 : 0]);
    expect(Math.max(...prepareImage(ink, digits))).toBe(255);
  });

  it('gives zeros for an empty sheet, also a slightly uneven one', () => {
    for (const paper of [0, 255, 128]) {
      const sheet = picture(50, 50, (x) => grey(paper + (x % 2 ? 5 : -5)));
      expect(prepareImage(sheet, digits)).toEqual(new Uint8Array(784));
    }
  });
});

describe('pictures as they are', () => {
  const photo: ImageSchema = { kind: 'image', width: 4, height: 4, channels: 3, classes: ['a', 'b'] };

  it('keeps a picture of the right size, byte for byte', () => {
    const source = picture(4, 4, (x, y) => [x * 60, y * 60, 7, 255]);
    const bytes = prepareImage(source, photo);
    expect(bytes).toHaveLength(48);
    for (let i = 0; i < 16; i++) {
      expect([...bytes.subarray(i * 3, i * 3 + 3)]).toEqual([...source.data.slice(i * 4, i * 4 + 3)]);
    }
  });

  it('cuts the middle out of a wide picture', () => {
    const wide = picture(12, 4, (x) => (x < 4 || x >= 8 ? [255, 0, 0, 255] : [0, 200, 0, 255]));
    const bytes = prepareImage(wide, photo);
    for (let i = 0; i < 16; i++) expect([...bytes.subarray(i * 3, i * 3 + 3)]).toEqual([0, 200, 0]);
  });

  it('makes grey of colours by their brightness', () => {
    const one: ImageSchema = { ...photo, channels: 1, ink: 'any' };
    const colour = (rgb: number[]) =>
      prepareImage(
        picture(8, 8, () => [...rgb, 255]),
        one,
      )[0];
    expect(colour([255, 255, 255])).toBe(255);
    expect(colour([0, 255, 0])).toBe(150);
    expect(colour([255, 0, 0])).toBe(76);
    expect(colour([0, 0, 255])).toBe(29);
  });
});

describe('resampling', () => {
  const plane = { width: 6, height: 4, values: Float32Array.from({ length: 24 }, (_, i) => (i * 37) % 11) };
  const whole = { x: 0, y: 0, width: 6, height: 4 };

  it('keeps a picture of the same size', () => {
    expect(resample(plane, whole, 6, 4).values).toEqual(plane.values);
  });

  it.each([
    [2, 2],
    [13, 9],
    [1, 7],
  ])('keeps a plain colour at %i × %i', (width, height) => {
    const plain = { ...plane, values: new Float32Array(24).fill(42) };
    for (const value of resample(plain, whole, width, height).values) expect(value).toBeCloseTo(42, 4);
  });

  it('lets every pixel count when it shrinks', () => {
    for (let i = 0; i < 24; i++) {
      const values = new Float32Array(24);
      values[i] = 1;
      const small = resample({ ...plane, values }, whole, 2, 2).values;
      expect(Math.max(...small)).toBeGreaterThan(0);
    }
  });
});
