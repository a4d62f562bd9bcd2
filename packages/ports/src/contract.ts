import { describe, expect, it } from 'vitest';
import type { Clock } from './clock.ts';
import type { RandomSource } from './random.ts';

/** A clock under test, with a way to let time pass. */
export interface ClockUnderTest {
  clock: Clock;
  /** Resolves once at least `milliseconds` have passed on this clock. */
  pass(milliseconds: number): Promise<void>;
}

/** The contract of every `Clock`. */
export function clockContract(name: string, make: () => ClockUnderTest): void {
  describe(`Clock contract: ${name}`, () => {
    it('moves forward by what has passed', async () => {
      const { clock, pass } = make();
      const before = clock.now();
      await pass(20);
      expect(clock.now()).toBeGreaterThanOrEqual(before + 19);
    });

    it('measures what has passed', async () => {
      const { clock, pass } = make();
      const before = clock.elapsed();
      await pass(20);
      expect(clock.elapsed()).toBeGreaterThanOrEqual(before + 19);
    });

    it('fires timers in the order in which they fall due, once each', async () => {
      const { clock, pass } = make();
      const fired: string[] = [];
      clock.setTimer(15, () => fired.push('late'));
      clock.setTimer(1, () => fired.push('early'));
      await pass(40);
      expect(fired).toEqual(['early', 'late']);
      await pass(40);
      expect(fired).toEqual(['early', 'late']);
    });

    it('does not fire a cancelled timer, and cancelling twice is harmless', async () => {
      const { clock, pass } = make();
      let fired = false;
      const cancel = clock.setTimer(5, () => {
        fired = true;
      });
      cancel();
      cancel();
      await pass(30);
      expect(fired).toBe(false);
    });

    it('never fires inside setTimer itself', async () => {
      const { clock, pass } = make();
      let fired = false;
      clock.setTimer(0, () => {
        fired = true;
      });
      expect(fired).toBe(false);
      await pass(10);
      expect(fired).toBe(true);
    });
  });
}

/** The contract of every `RandomSource`. */
export function randomContract(name: string, make: () => RandomSource): void {
  describe(`RandomSource contract: ${name}`, () => {
    it('gives unsigned 32-bit integers', () => {
      const random = make();
      for (let i = 0; i < 1000; i++) {
        const drawn = random.uint32();
        expect(Number.isInteger(drawn) && drawn >= 0 && drawn <= 0xffffffff).toBe(true);
      }
    });

    it('sets each of the 32 bits about half of the time', () => {
      const random = make();
      const counts = new Array<number>(32).fill(0);
      const draws = 4096;
      for (let i = 0; i < draws; i++) {
        const drawn = random.uint32();
        for (let bit = 0; bit < 32; bit++) counts[bit] = (counts[bit] as number) + ((drawn >>> bit) & 1);
      }
      // Standard deviation of a fair count is 32: seven of them fail once in 10^11.
      for (const count of counts) expect(Math.abs(count - draws / 2)).toBeLessThan(7 * 32);
    });
  });
}
