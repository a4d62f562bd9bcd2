import { createHash } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { ManualClock } from './clock.ts';
import { clockContract, randomContract } from './contract.ts';
import { integerBelow, normal, seededRandom, shuffle } from './random.ts';
import { secretRandom } from './secret-random.ts';
import { systemClock, systemRandom } from './system.ts';

clockContract('manual', () => {
  const clock = new ManualClock(1000);
  return {
    clock,
    pass: (milliseconds) => {
      clock.advance(milliseconds);
      return Promise.resolve();
    },
  };
});

clockContract('system', () => ({
  clock: systemClock,
  pass: (milliseconds) => new Promise((resolve) => systemClock.setTimer(milliseconds, resolve)),
}));

describe("the machine's clock", () => {
  it('waits longer than a signed 32-bit number of milliseconds, and can be told not to', () => {
    vi.useFakeTimers();
    try {
      const day = 24 * 3600 * 1000;
      const fired: string[] = [];
      systemClock.setTimer(60 * day, () => fired.push('two months'));
      const cancel = systemClock.setTimer(90 * day, () => fired.push('never'));
      vi.advanceTimersByTime(60 * day - 1);
      expect(fired).toEqual([]);
      vi.advanceTimersByTime(1);
      expect(fired).toEqual(['two months']);
      cancel();
      vi.advanceTimersByTime(60 * day);
      expect(fired).toEqual(['two months']);
    } finally {
      vi.useRealTimers();
    }
  });
});

randomContract('secret', () => secretRandom('a seed of 128 bits'));
randomContract('seeded', () => seededRandom('contract'));
randomContract('system', () => systemRandom);

describe('seededRandom', () => {
  it('gives the same stream for the same path and another for another', () => {
    const draw = (...path: (string | number)[]) => {
      const random = seededRandom(...path);
      return Array.from({ length: 8 }, () => random.uint32());
    };
    expect(draw(1, 'round', 2)).toEqual(draw(1, 'round', 2));
    expect(draw(1, 'round', 2)).not.toEqual(draw(1, 'round', 3));
    expect(draw(1, 'round', 2)).not.toEqual(draw(12, 'round'));
  });

  it('draws every whole number below a bound about equally often', () => {
    const random = seededRandom('below');
    const counts = [0, 0, 0, 0, 0];
    for (let i = 0; i < 10_000; i++) {
      const drawn = integerBelow(random, 5);
      counts[drawn] = (counts[drawn] as number) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(300);
    expect(() => integerBelow(random, 0)).toThrow(RangeError);
  });

  it('draws normals of mean 0 and variance 1', () => {
    const random = seededRandom('normal');
    const drawn = Array.from({ length: 20_000 }, () => normal(random));
    const mean = drawn.reduce((sum, x) => sum + x, 0) / drawn.length;
    const variance = drawn.reduce((sum, x) => sum + (x - mean) ** 2, 0) / drawn.length;
    expect(Math.abs(mean)).toBeLessThan(0.05);
    expect(Math.abs(variance - 1)).toBeLessThan(0.07);
  });

  it('shuffles into a permutation', () => {
    const items = Array.from({ length: 100 }, (_, i) => i);
    const shuffled = shuffle([...items], seededRandom('shuffle'));
    expect(shuffled).not.toEqual(items);
    expect(shuffled.sort((a, b) => a - b)).toEqual(items);
  });
});

describe('a secret source', () => {
  it('gives the blocks of SHA-256 of its seed and a counter', () => {
    const seed = '种子 0123456789abcdef';
    const random = secretRandom(seed);
    for (const block of [0n, 1n, 2n]) {
      const counter = Buffer.alloc(8);
      counter.writeBigUInt64BE(block);
      const digest = createHash('sha256').update(seed, 'utf8').update(counter).digest();
      for (let at = 0; at < 32; at += 4) expect(random.uint32()).toBe(digest.readUInt32BE(at));
    }
  });
});
