import { TaskSchema } from '@coppice/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RawExamples } from '../examples.ts';
import { mnist2nn } from '../tasks/mnist.ts';
import { clickStream, clicks } from './clicks.ts';
import { machineStream, machines } from './machines.ts';
import { permuteLabels } from './permute-labels.ts';
import { pictureStream } from './picture-stream.ts';
import { rotatePictures } from './rotate.ts';
import type { Stream } from './stream.ts';

const picture = (...rows: number[][]): RawExamples => ({
  count: 1,
  features: Uint8Array.from(rows.flat()),
  labels: Float32Array.of(0),
});

describe('turned pictures', () => {
  const shape = { width: 3, height: 3, channels: 1 } as const;
  const one = picture([1, 2, 3], [4, 5, 6], [7, 8, 9]);

  it('turns counter-clockwise by a quarter', () => {
    expect([...rotatePictures(one, shape, 90).features]).toEqual([3, 6, 9, 2, 5, 8, 1, 4, 7]);
  });

  it.each([0, 360, -720])('leaves a picture as it is at %i degrees', (degrees) => {
    expect(rotatePictures(one, shape, degrees)).toEqual(one);
  });

  it('takes half a turn in two quarters, and back, whatever the pixels and channels', () => {
    const shown = { width: 4, height: 4, channels: 3 } as const;
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 48, maxLength: 48 }), (features) => {
        const before = { count: 1, features, labels: Float32Array.of(1) };
        const quarters = rotatePictures(rotatePictures(before, shown, 90), shown, 90);
        expect(quarters).toEqual(rotatePictures(before, shown, 180));
        expect(rotatePictures(quarters, shown, -180)).toEqual(before);
      }),
    );
  });

  it('keeps the ink of a blot in the middle, at any angle', () => {
    const size = 21;
    const features = Uint8Array.from({ length: size * size }, (_, at) => {
      const [x, y] = [(at % size) - 10, Math.floor(at / size) - 10];
      return Math.round(200 * Math.exp(-(x * x + 3 * y * y) / 20));
    });
    const ink = (pixels: ArrayLike<number>) => Array.from(pixels).reduce((sum, pixel) => sum + pixel, 0);
    for (const degrees of [10, 35, 135, 200]) {
      const turned = rotatePictures(
        { count: 1, features, labels: Float32Array.of(0) },
        { width: size, height: size, channels: 1 },
        degrees,
      );
      expect(ink(turned.features) / ink(features)).toBeCloseTo(1, 1);
    }
  });

  it('turns towards the left: ink on the right goes up', () => {
    const turned = rotatePictures(picture([0, 0, 0], [0, 0, 200], [0, 0, 0]), shape, 45).features;
    expect(turned[2]).toBeGreaterThan(turned[8] as number);
  });
});

it('permutes labels so that none stays, and none is lost', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 20 }), fc.integer(), (classes, seed) => {
      const labels = Float32Array.from({ length: classes }, (_, index) => index);
      const { labels: permuted } = permuteLabels({ count: classes, features: labels, labels }, classes, seed);
      expect([...permuted].some((label, index) => label === index)).toBe(false);
      expect([...permuted].toSorted((a, b) => a - b)).toEqual([...labels]);
    }),
  );
});

describe('a stream of pictures', () => {
  const pictures: RawExamples = {
    count: 60,
    features: Uint8Array.from({ length: 60 * 784 }, (_, at) =>
      at % 784 === 300 ? Math.floor(at / 784) + 1 : 0,
    ),
    labels: Float32Array.from({ length: 60 }, (_, row) => row % 10),
  };
  const size = { participants: 4, periods: 3, first: 6, each: 3 };
  const script = {
    task: mnist2nn,
    pictures,
    seed: 1,
    ...size,
    degrees: (period: number) => (period > 1 ? 180 : 0),
  };
  const stream = pictureStream(script);
  const all = [0, 1, 2, 3].flatMap((one) => [0, 1, 2, 3].map((period) => stream.examples(one, period)));

  it('gives each picture once, with its own label', () => {
    const seen = all.flatMap(({ features, labels }) =>
      Array.from(labels, (label, row) => {
        const name = Math.max(...features.subarray(row * 784, (row + 1) * 784)) - 1;
        expect(label).toBe(name % 10);
        return name;
      }),
    );
    expect(seen.length).toBe(60);
    expect(new Set(seen).size).toBe(60);
  });

  it('turns those of the periods that the script says', () => {
    const at = (period: number) => stream.examples(0, period).features.findIndex((pixel) => pixel > 0);
    expect([0, 1, 2, 3].map(at)).toEqual([300, 300, 483, 483]);
  });

  it('refuses a script that gives more pictures than there are', () => {
    expect(() => pictureStream({ ...script, participants: 5 })).toThrow(/5 participants 15 pictures/);
  });
});

const size = { participants: 3, periods: 4, first: 400, each: 400 };

describe('readings of machines', () => {
  const fault = { column: 'pressure', share: 0.5 } as const;
  const stream = machineStream({ seed: 7, ...size, fault: (period) => (period === 2 ? fault : null) });
  const column = (examples: RawExamples, at: number) =>
    [...examples.features].filter((_, index) => index % 6 === at);

  it('loses the readings of the faulty sensor alone, in the faulty period alone', () => {
    const healthy = machineStream({ seed: 7, ...size, fault: () => null });
    for (const period of [1, 3]) expect(stream.examples(1, period)).toEqual(healthy.examples(1, period));
    const [broken, whole] = [stream.examples(1, 2), healthy.examples(1, 2)];
    expect(broken.labels).toEqual(whole.labels);
    for (const at of [0, 1, 3, 4, 5]) expect(column(broken, at)).toEqual(column(whole, at));
    const lost = column(broken, 2).filter((value) => value === -5).length;
    // Four standard deviations of 400 draws at a half.
    expect(Math.abs(lost - 200)).toBeLessThan(40);
  });

  it('has plausible values while no sensor is broken, and every state', () => {
    const { features, labels } = stream.examples(0, 1);
    const { features: schema } = machines.data as { features: { min?: number; max?: number }[] };
    for (const [at, value] of features.entries()) {
      const { min = 0, max = 2 } = schema[at % 6] as { min?: number; max?: number };
      expect(value).toBeGreaterThanOrEqual(min);
      expect(value).toBeLessThanOrEqual(max);
    }
    // P(w ≥ 0.3) = 0.382 and P(w ≥ 1.2) = 0.115 of the standard normal distribution.
    const share = (state: number) => labels.filter((label) => label === state).length / labels.length;
    expect(Math.abs(share(0) - 0.618)).toBeLessThan(0.1);
    expect(Math.abs(share(2) - 0.115)).toBeLessThan(0.07);
  });
});

describe('clicks', () => {
  const usual = clickStream({ seed: 3, ...size, taste: () => 'usual' });
  const turned = clickStream({ seed: 3, ...size, taste: (period) => (period < 3 ? 'usual' : 'turned') });

  it('shows the same headlines when the taste turns', () => {
    expect(turned.examples(2, 4).features).toEqual(usual.examples(2, 4).features);
    expect(turned.examples(2, 2)).toEqual(usual.examples(2, 2));
  });

  it('clicks by the taste', () => {
    const rate = (stream: Stream, topic: number) => {
      const { count, features, labels } = stream.examples(0, 3);
      const rows = Array.from({ length: count }, (_, row) => row).filter(
        (row) => features[row * 5] === topic,
      );
      return rows.reduce((sum, row) => sum + (labels[row] as number), 0) / rows.length;
    };
    for (const liked of [0, 2, 4]) expect(rate(usual, liked)).toBeGreaterThan(0.7);
    for (const disliked of [1, 3, 5]) expect(rate(usual, disliked)).toBeLessThan(0.3);
    for (const topic of [0, 2, 4]) expect(rate(turned, topic)).toBeLessThan(0.3);
    for (const topic of [1, 3, 5]) expect(rate(turned, topic)).toBeGreaterThan(0.7);
  });
});

it.each([machines, clicks])('$id is a valid task in both languages', (task) => {
  expect(TaskSchema.parse(task)).toEqual(task);
  expect([task.title.zh, task.description.zh].every(Boolean)).toBe(true);
});

it.each([
  ['machines', machineStream({ seed: 1, ...size, fault: () => null })],
  ['clicks', clickStream({ seed: 1, ...size, taste: () => 'usual' })],
])('%s are the same at every call, and differ by participant and period', (_name, stream) => {
  expect(stream.examples(1, 2)).toEqual(stream.examples(1, 2));
  expect(stream.examples(1, 2)).not.toEqual(stream.examples(2, 2));
  expect(stream.examples(1, 2)).not.toEqual(stream.examples(1, 3));
});
