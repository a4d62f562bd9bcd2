import * as z from 'zod/mini';
import type { Detector } from './detector.ts';

export interface PageHinkleyOptions {
  /** Values before the first alarm. Default: 30. */
  readonly minInstances?: number;
  /** Changes of the mean that are tolerated, in the unit of the values. Default: 0.005. */
  readonly delta?: number;
  /** The height of a cumulative deviation that raises the alarm. Default: 50. */
  readonly threshold?: number;
  /** Forgetting factor of the cumulative deviations, in (0, 1]. Default: 0.9999. */
  readonly alpha?: number;
  /** The directions of change that raise the alarm. Default: `both`. */
  readonly mode?: 'up' | 'down' | 'both';
  /**
   * `extremes`, the default: a cumulative deviation is held against the extreme that it had (River since 0.11).
   * `clamped`: it never passes zero, and is held against zero (CUSUM; River before).
   */
  readonly form?: 'extremes' | 'clamped';
}

export const PageHinkleyStateSchema = z.object({
  version: z.literal(1),
  count: z.int().check(z.minimum(0)),
  mean: z.number(),
  /** Cumulative deviations, and the extremes that they had. `null`: none yet. */
  up: z.number(),
  lowest: z.nullable(z.number()),
  down: z.number(),
  highest: z.number(),
  alarmed: z.boolean(),
});
export type PageHinkleyState = z.infer<typeof PageHinkleyStateSchema>;

const initial: PageHinkleyState = {
  version: 1,
  count: 0,
  mean: 0,
  up: 0,
  lowest: null,
  down: 0,
  highest: -1,
  alarmed: false,
};

/** The Page–Hinkley test (Page, Biometrika 1954) with forgetting, as River has it. */
export class PageHinkley implements Detector<PageHinkleyState> {
  readonly #o: Required<PageHinkleyOptions>;
  #state: PageHinkleyState;

  constructor(options: PageHinkleyOptions = {}, state: PageHinkleyState = initial) {
    this.#o = {
      minInstances: 30,
      delta: 0.005,
      threshold: 50,
      alpha: 0.9999,
      mode: 'both',
      form: 'extremes',
      ...options,
    };
    this.#state = state;
  }

  update(value: number): boolean {
    if (!Number.isFinite(value)) throw new RangeError(`a detector takes finite numbers, not ${value}`);
    const { minInstances, threshold, mode } = this.#o;
    const before = this.#state.alarmed ? initial : this.#state;
    const count = before.count + 1;
    const mean = before.mean + (value - before.mean) / count;
    const moved = this.#moved(before, value - mean);
    const rose = mode !== 'down' && moved.up - moved.lowest > threshold;
    const fell = mode !== 'up' && moved.highest - moved.down > threshold;
    const alarmed = count >= minInstances && (rose || fell);
    this.#state = { version: 1, count, mean, ...moved, alarmed };
    return alarmed;
  }

  state(): PageHinkleyState {
    return this.#state;
  }

  #moved(before: PageHinkleyState, deviation: number) {
    const { delta, alpha, form } = this.#o;
    const up = alpha * before.up + deviation - delta;
    const down = alpha * before.down + deviation + delta;
    if (form === 'clamped') return { up: Math.max(0, up), lowest: 0, down: Math.min(0, down), highest: 0 };
    return {
      up,
      lowest: Math.min(before.lowest ?? Number.POSITIVE_INFINITY, up),
      down,
      highest: Math.max(before.highest, down),
    };
  }
}
