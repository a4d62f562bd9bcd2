import type { Clock } from '@coppice/ports';
import { CoppiceError, type ErrorCode } from '@coppice/protocol';
import type { Storage } from '../storage/storage.ts';
import { eventRow } from './event-row.ts';

/** Milliseconds before storage that refused a write is tried again. */
const TRY_EVERY = 1000;

/** Codes of a medium that refuses all writes. */
const refusals: ReadonlySet<ErrorCode> = new Set([
  'storage-full',
  'storage-read-only',
  'storage-failed',
  'storage-locked',
]);

/** Tracks whether storage accepts writes: from callers' failures and, after a refusal, from a write of its own. */
export class StorageHealth {
  /** The same storage, with its failures tracked. */
  readonly storage: Storage;
  readonly #inner: Storage;
  readonly #clock: Clock;
  #refused: { readonly code: ErrorCode; readonly since: number } | null = null;
  #trying: Promise<void> | null = null;
  #triedAt = Number.NEGATIVE_INFINITY;

  constructor(inner: Storage, clock: Clock) {
    this.#inner = inner;
    this.#clock = clock;
    this.storage = new Proxy(inner, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        return (...given: unknown[]): unknown => {
          const answer: unknown = value.apply(target, given);
          if (answer instanceof Promise) answer.catch((thrown: unknown) => this.#failed(thrown));
          return answer;
        };
      },
    });
  }

  /** @returns the code with which storage refuses writes; null where it accepts them. */
  async check(): Promise<ErrorCode | null> {
    if (this.#refused === null) return null;
    if (this.#trying === null && this.#clock.elapsed() - this.#triedAt >= TRY_EVERY) {
      this.#triedAt = this.#clock.elapsed();
      this.#trying = this.#try(this.#refused).finally(() => {
        this.#trying = null;
      });
    }
    await this.#trying;
    return this.#refused?.code ?? null;
  }

  /** Records the failure in storage, which also tests whether storage works again. */
  async #try({ code, since }: { readonly code: ErrorCode; readonly since: number }): Promise<void> {
    const event = {
      run: null,
      round: null,
      level: 'warning',
      kind: 'storage-refused',
      data: { code, since },
    } as const;
    await this.#inner.appendEvents([eventRow(event, this.#clock.now())]).then(
      () => {
        this.#refused = null;
      },
      (thrown: unknown) => this.#failed(thrown),
    );
  }

  #failed(thrown: unknown): void {
    if (!(thrown instanceof CoppiceError) || !refusals.has(thrown.code)) return;
    this.#refused = { code: thrown.code, since: this.#refused?.since ?? this.#clock.now() };
  }
}
