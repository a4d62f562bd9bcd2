import type { Clock } from '@coppice/ports';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createTrainer } from './create-trainer.ts';
import { type Pace, Pacer } from './pace.ts';
import type { Dataset, LocalTraining, ModelDescription } from './trainer.ts';

/** A clock on which work takes what the test says, and timers fire at their time, at once. */
class WorkClock implements Clock {
  time = 0;
  readonly idles: number[] = [];

  elapsed(): number {
    return this.now();
  }

  now(): number {
    return this.time;
  }

  setTimer(milliseconds: number, fire: () => void): () => void {
    this.idles.push(milliseconds);
    let cancelled = false;
    queueMicrotask(() => {
      if (cancelled) return;
      this.time += milliseconds;
      fire();
    });
    return () => {
      cancelled = true;
    };
  }
}

describe('Pacer', () => {
  it('works for the share of the time that it is given, whatever the batches take', async () => {
    const batch = fc.double({ min: 0, max: 5000, noNaN: true });
    const shares = fc.double({ min: 0.1, max: 1, noNaN: true });
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 50 }), shares, async (batches, share) => {
        const clock = new WorkClock();
        const pacer = new Pacer({ clock, share: () => share });
        for (const milliseconds of batches) {
          clock.time += milliseconds;
          await pacer.rest(1);
        }
        const busy = batches.reduce((sum, one) => sum + one, 0);
        const whole = busy / share;
        // No more is owed at the end than a timer is worth.
        expect(clock.time).toBeLessThanOrEqual(whole * (1 + 1e-9));
        expect(clock.time).toBeGreaterThan(whole * (1 - 1e-9) - 4);
      }),
    );
  });

  it('idles after each batch, for a change of mind from the next batch on', async () => {
    const clock = new WorkClock();
    let share = 0.5;
    const pacer = new Pacer({ clock, share: () => share });
    const batch = async () => {
      clock.time += 100;
      await pacer.rest(1);
    };
    await batch();
    share = 0.1;
    await batch();
    share = 1;
    await batch();
    expect(clock.idles).toEqual([100, 900]);
    expect(pacer.slowed).toBe(false);
  });

  it('takes a device that slept for no work of hours, and a clock set back for none', async () => {
    const clock = new WorkClock();
    const pacer = new Pacer({ clock, share: () => 0.5 });
    clock.time += 8 * 3_600_000;
    await pacer.rest(1);
    clock.time -= 3_600_000;
    await pacer.rest(1);
    expect(clock.idles).toEqual([10_000]);
  });

  it('stops idling at once when training is stopped', async () => {
    const never: Clock = { now: () => 0, elapsed: () => time, setTimer: () => () => {} };
    let time = 0;
    const stop = new AbortController();
    const pacer = new Pacer({ clock: never, share: () => 0.1 });
    time = 1000;
    const resting = pacer.rest(1, stop.signal);
    stop.abort();
    await resting;
  });

  it('tells how long the work took, without the idling', async () => {
    const clock = new WorkClock();
    const told: [number, number][] = [];
    const pacer = new Pacer({ clock, share: () => 0.2, took: (...one) => told.push(one) });
    for (const [milliseconds, examples] of [
      [30, 8],
      [50, 3],
    ] as const) {
      clock.time += milliseconds;
      await pacer.rest(examples);
    }
    expect(told).toEqual([
      [30, 8],
      [50, 3],
    ]);
  });
});

describe.each(['cpu', 'wasm', 'planned'] as const)('training at a pace, on %s', (backend) => {
  const description: ModelDescription = {
    topology: {
      class_name: 'Sequential',
      config: {
        layers: [
          {
            class_name: 'Dense',
            config: { name: 'hidden', units: 6, activation: 'relu', batch_input_shape: [null, 3] },
          },
          { class_name: 'Dropout', config: { rate: 0.3 } },
          { class_name: 'Dense', config: { name: 'class', units: 2, activation: 'softmax' } },
        ],
      },
    },
    data: {
      kind: 'table',
      features: ['a', 'b', 'c'].map((name) => ({ name, mean: 0, scale: 1 })),
      target: { kind: 'class', name: 'side', classes: ['left', 'right'] },
    },
    loss: 'categoricalCrossentropy',
  };
  const data: Dataset = {
    count: 23,
    xs: Float32Array.from({ length: 69 }, (_, i) => Math.sin(i * 3.7)),
    ys: Float32Array.from({ length: 23 }, (_, i) => i % 2),
  };
  const how: LocalTraining = {
    epochs: 3,
    batchSize: 4,
    optimizer: 'adam',
    learningRate: 0.01,
    shuffleSeed: 'pace',
  };
  /** Every look at the clock finds it 20 ms later: each batch takes some time. */
  class BusyClock extends WorkClock {
    override now(): number {
      this.time += 20;
      return this.time;
    }
  }
  const train = async (pace?: Pace) => {
    const trainer = await createTrainer(description, { backend, seed: 5, ...(pace ? { pace } : {}) });
    onTestFinished(() => trainer.dispose());
    return trainer.train(data, how);
  };

  it('gives the same bits at any share', async () => {
    const unpaced = await train();
    for (const share of [1, 0.7, 0.25, 0.1]) {
      const clock = new BusyClock();
      const paced = await train({ clock, share: () => share });
      expect(Buffer.from(paced.weights.buffer).equals(Buffer.from(unpaced.weights.buffer))).toBe(true);
      expect(paced.loss).toBe(unpaced.loss);
      // 6 batches an epoch; below 1, it idled after each of them.
      expect(clock.idles).toHaveLength(share < 1 ? 18 : 0);
      for (const idle of clock.idles) expect(idle).toBeCloseTo((20 * (1 - share)) / share, 9);
    }
  });

  it('counts each example that it was busy with, at any share', async () => {
    for (const share of [1, 0.5]) {
      let examples = 0;
      await train({
        clock: new BusyClock(),
        share: () => share,
        took: (_, count) => {
          examples += count;
        },
      });
      expect(examples).toBe(3 * 23);
    }
  });

  it('is stopped in the midst of its idling', async () => {
    const stop = new AbortController();
    let now = 0;
    const never: Clock = {
      now: () => 0,
      elapsed: () => {
        now += 1000;
        return now;
      },
      setTimer: () => {
        queueMicrotask(() => stop.abort());
        return () => {};
      },
    };
    const trainer = await createTrainer(description, {
      backend,
      seed: 5,
      pace: { clock: never, share: () => 0.5 },
    });
    onTestFinished(() => trainer.dispose());
    await expect(trainer.train(data, how, { signal: stop.signal })).rejects.toMatchObject({
      name: 'AbortError',
    });
  });
});
