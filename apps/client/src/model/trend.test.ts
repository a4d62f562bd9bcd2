import { describe, expect, it } from 'vitest';
import { top } from './answers.tsx';
import { newestOnly } from './newest-only.ts';
import { extentOf, type Frame, linePath, placePoint } from './trend.ts';

const frame: Frame = { width: 120, height: 70, left: 10, right: 10, top: 10, bottom: 10 };

describe('the trend', () => {
  it('shows accuracies on the whole of 0 to 1, and errors up to a round number', () => {
    expect(extentOf([[{ round: 4, value: 0.3 }], []], 'accuracy')).toEqual({ rounds: 4, low: 0, high: 1 });
    expect(extentOf([[{ round: 2, value: 2.34 }], [{ round: 5, value: 0.1 }]], 'error')).toEqual({
      rounds: 5,
      low: 0,
      high: 3,
    });
    expect(extentOf([[], []], 'error').rounds).toBe(1);
  });

  it('puts the first round left, the last right, more above less', () => {
    const extent = { rounds: 4, low: 0, high: 1 };
    expect(placePoint({ round: 0, value: 0 }, extent, frame)).toEqual([10, 60]);
    expect(placePoint({ round: 4, value: 1 }, extent, frame)).toEqual([110, 10]);
    expect(placePoint({ round: 2, value: 0.5 }, extent, frame)).toEqual([60, 35]);
  });

  it('draws a line through all points, and none through none', () => {
    const extent = { rounds: 1, low: 0, high: 1 };
    const points = [
      { round: 0, value: 0 },
      { round: 1, value: 1 },
    ];
    expect(linePath(points, extent, frame)).toBe('M10 60L110 10');
    expect(linePath([], extent, frame)).toBe('');
  });
});

describe('newestOnly', () => {
  it('never runs twice at a time, and of what was asked meanwhile runs the last once', async () => {
    let started = 0;
    let running = 0;
    const waiting: (() => void)[] = [];
    const ask = newestOnly(async () => {
      started++;
      running++;
      expect(running).toBe(1);
      await new Promise<void>((resolve) => waiting.push(resolve));
      running--;
    });
    ask();
    ask();
    ask();
    expect(started).toBe(1);
    waiting.shift()?.();
    await Promise.resolve();
    await Promise.resolve();
    expect(started).toBe(2);
    waiting.shift()?.();
    await Promise.resolve();
    await Promise.resolve();
    expect(started).toBe(2);
    ask();
    expect(started).toBe(3);
  });
});

describe('top', () => {
  it('is the class with the largest share', () => {
    expect(top([0.1, 0.7, 0.2])).toBe(1);
    expect(top([0.5, 0.5])).toBe(0);
  });
});
