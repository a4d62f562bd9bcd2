import type { ExactSumKernels } from '../exact-sum.ts';
import { Int64s } from '../int64s.ts';

const CARRY = 2 ** 32;
const UNIT = 2 ** -36;
/** Adding and subtracting it rounds a float64 below 2⁵¹ to the nearest whole number, ties to even. */
const ROUNDER = 1.5 * 2 ** 52;
/** The upper half of the rounder's bits; the lower is 0. */
const ROUNDER_HIGH = 0x43380000;

/** Ties to even. From 2⁵² on a float64 is whole by itself. */
function nearest(x: number): number {
  return Math.abs(x) < 2 ** 51 ? x + ROUNDER - ROUNDER : Math.round(x);
}

export function scalarExactSum(buffer: () => ArrayBuffer): ExactSumKernels {
  const int64s = (at: number, n: number) => new Int64s(buffer(), at, n);
  const float32s = (at: number, n: number) => new Float32Array(buffer(), at, n);
  return {
    largestBits(n, x) {
      const bits = new Int32Array(buffer(), x, n);
      let largest = 0;
      for (let i = 0; i < n; i++) largest = Math.max(largest, (bits[i] as number) & 0x7fffffff);
      return largest;
    },
    sumOfSquares(n, x) {
      const values = float32s(x, n);
      const sums = [0, 0, 0, 0] as [number, number, number, number];
      const whole = n - (n % 4);
      for (let i = 0; i < whole; i++) sums[i % 4] = (sums[i % 4] as number) + (values[i] as number) ** 2;
      let sum = sums[0] + sums[2] + (sums[1] + sums[3]);
      for (let i = whole; i < n; i++) sum += (values[i] as number) ** 2;
      return sum;
    },
    addUnits(n, scale, x, sums) {
      const values = float32s(x, n);
      const to = int64s(sums, n);
      const squares = [0, 0, 0, 0, 0, 0, 0, 0];
      const whole = n - (n % 8);
      for (let i = 0; i < n; i++) {
        const value = values[i] as number;
        const units = scale * value + ROUNDER - ROUNDER;
        const carried = Math.floor(units / CARRY);
        to.add(i, ROUNDER_HIGH + carried, units - carried * CARRY);
        if (i < whole) squares[i % 8] = (squares[i % 8] as number) + value * value;
      }
      const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = squares;
      let sum = a + c + (e + g) + (b + d + (f + h));
      for (let i = whole; i < n; i++) sum += (values[i] as number) ** 2;
      return sum;
    },
    addLargeUnits(n, scale, x, low, high) {
      const values = float32s(x, n);
      const lows = int64s(low, n);
      const highs = int64s(high, n);
      for (let i = 0; i < n; i++) {
        const units = nearest(scale * (values[i] as number));
        const carried = Math.floor(units / CARRY);
        const above = Math.floor(carried / CARRY);
        highs.add(i, above, carried - above * CARRY);
        lows.add(i, 0, units - carried * CARRY);
      }
    },
    settle(n, additions, sums) {
      const to = int64s(sums, n);
      // The lower half of the bits is 0, and multiplied within 32 bits the upper one wraps as it should.
      const bits = Math.imul(additions, ROUNDER_HIGH);
      for (let i = 0; i < n; i++) to.set(i, to.high(i) - bits, to.low(i));
    },
    carry(n, low, high) {
      const lows = int64s(low, n);
      const highs = int64s(high, n);
      for (let i = 0; i < n; i++) {
        const carried = lows.high(i);
        highs.add(i, carried < 0 ? -1 : 0, carried >>> 0);
        lows.set(i, 0, lows.low(i));
      }
    },
    meanOfUnits(n, examples, sums, mean) {
      const from = int64s(sums, n);
      const to = new Float64Array(buffer(), mean, n);
      for (let i = 0; i < n; i++) to[i] = (from.get(i) * UNIT) / examples;
    },
    meanOfLargeUnits(n, examples, low, high, mean) {
      const lows = int64s(low, n);
      const highs = int64s(high, n);
      const to = new Float64Array(buffer(), mean, n);
      for (let i = 0; i < n; i++) to[i] = ((highs.get(i) * CARRY + lows.low(i)) * UNIT) / examples;
    },
  };
}
