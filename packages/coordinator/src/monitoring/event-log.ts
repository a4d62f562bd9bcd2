import type { Clock } from '@coppice/ports';
import type { Event } from '@coppice/protocol';
import type { Logger } from 'pino';
import type { Storage } from '../storage/storage.ts';

/** The event log: stored, written to the structured log, and handed to whoever listens, in order. */
export class EventLog {
  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #listeners = new Set<(event: Event) => void>();
  #last: Promise<void> = Promise.resolve();

  constructor(storage: Storage, clock: Clock, logger: Logger) {
    this.#storage = storage;
    this.#clock = clock;
    this.#logger = logger;
  }

  add(event: Omit<Event, 'id' | 'at'>): void {
    const dated = { at: this.#clock.now(), ...event };
    const { level, message, ...rest } = dated;
    this.#logger[level === 'warning' ? 'warn' : level](rest, message);
    // One after the other, so that ids follow the order of happening.
    this.#last = this.#last
      .then(() => this.#storage.appendEvent(dated))
      .then((stored) => {
        for (const listener of this.#listeners) listener(stored);
      })
      .catch((thrown: unknown) => this.#logger.error({ err: thrown }, 'an event could not be stored'));
  }

  subscribe(listener: (event: Event) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves once everything added so far is stored. */
  flush(): Promise<void> {
    return this.#last;
  }
}
