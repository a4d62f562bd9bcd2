import { Hash } from 'node:crypto';
import { type Profiler, Session } from 'node:inspector';
import type { Steps } from '@coppice/federation';

/** The work of one drive through some steps. */
export interface Driven<T> {
  /** `undefined` where the steps threw. */
  readonly value: T | undefined;
  readonly pieces: number;
  /** Numbers touched in the piece that touched most of them. */
  readonly longest: number;
}

/**
 * Counts the numbers that code touches, without a clock: how often any block of the project's code ran (V8's block
 * coverage), and 4 bytes a number of what methods of typed arrays copied or filled and hashes read.
 */
export class TouchCounter {
  readonly #session = new Session();
  readonly #restore: (() => void)[] = [];
  #bytes = 0;
  /** Names of the functions that ran since the beginning. */
  readonly ran = new Set<string>();

  constructor() {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
    const arrays = Object.getPrototypeOf(Uint8Array.prototype) as Record<
      string,
      (...given: never[]) => unknown
    >;
    const all = (array: ArrayLike<unknown> & { byteLength?: number }) => array.byteLength ?? 4 * array.length;
    this.#spy(arrays, 'set', ([from]) => all(from as Uint8Array));
    for (const name of ['slice', 'sort']) this.#spy(arrays, name, (_, result) => all(result as Uint8Array));
    this.#spy(arrays, 'fill', ([, from = 0, to], result) => {
      const { BYTES_PER_ELEMENT, length } = result as Uint8Array;
      return (
        ((to as number | undefined) ?? length) * BYTES_PER_ELEMENT - (from as number) * BYTES_PER_ELEMENT
      );
    });
    this.#spy(arrays, 'copyWithin', ([, from, to], result) => {
      const { BYTES_PER_ELEMENT, length } = result as Uint8Array;
      return (((to as number | undefined) ?? length) - (from as number)) * BYTES_PER_ELEMENT;
    });
    this.#spy(Hash.prototype as never, 'update', ([data]) => all(data as Uint8Array));
  }

  #spy(
    of: Record<string, (...given: never[]) => unknown>,
    name: string,
    bytes: (given: readonly unknown[], result: unknown) => number,
  ): void {
    const method = of[name] as (...given: unknown[]) => unknown;
    const counter = this;
    of[name] = function (this: unknown, ...given: unknown[]) {
      const result = method.apply(this, given);
      counter.#bytes += bytes(given, result);
      return result;
    };
    this.#restore.push(() => {
      of[name] = method as never;
    });
  }

  /** Numbers touched since the last call. */
  take(): number {
    let most = this.#bytes / 4;
    this.#bytes = 0;
    this.#session.post(
      'Profiler.takePreciseCoverage',
      (error, { result }: Profiler.TakePreciseCoverageReturnType) => {
        if (error !== null) throw error;
        for (const { url, functions } of result)
          if (url.includes('/packages/') && !url.includes('.testing.ts'))
            for (const { functionName, ranges } of functions) {
              if (ranges.some(({ count }) => count > 0)) this.ran.add(functionName);
              for (const { count } of ranges) most = Math.max(most, count);
            }
      },
    );
    return most;
  }

  /** @param pieces after which the work is given up, by these other steps. */
  drive<T>(
    steps: Steps<T>,
    given: { pieces: number; up: (steps: Steps<T>) => Steps<unknown> } | null = null,
  ): Driven<T> {
    let longest = 0;
    let current: Steps<unknown> = steps;
    this.take();
    for (let pieces = 1; ; pieces++) {
      let step: IteratorResult<undefined, unknown>;
      try {
        step = current.next();
      } catch {
        return { value: undefined, pieces, longest: Math.max(longest, this.take()) };
      }
      longest = Math.max(longest, this.take());
      if (step.done === true) return { value: step.value as T, pieces, longest };
      if (pieces === given?.pieces) current = given.up(steps);
    }
  }

  close(): void {
    for (const undo of this.#restore) undo();
    this.#session.disconnect();
  }
}
