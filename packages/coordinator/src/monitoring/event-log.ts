import type { Clock } from '@coppice/ports';
import type { Event } from '@coppice/protocol';
import type { Logger } from 'pino';
import type { Storage } from '../storage/storage.ts';
import { nextTurn } from '../turns.ts';

/** So many are stored at once; when thousands come in one instant, others have their turn in between. */
export const EVENTS_A_BATCH = 200;

/** The event log: stored, written to the structured log, and handed to whoever listens, in order. */
export class EventLog {
  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #listeners = new Set<(event: Event) => void>();
  #pending: Omit<Event, 'id'>[] = [];
  #storing: Promise<void> = Promise.resolve();

  constructor(storage: Storage, clock: Clock, logger: Logger) {
    this.#storage = storage;
    this.#clock = clock;
    this.#logger = logger;
  }

  add(event: Omit<Event, 'id' | 'at'>): void {
    const dated = { at: this.#clock.now(), ...event };
    const { level, message, ...rest } = dated;
    this.#logger[level === 'warning' ? 'warn' : level](rest, message);
    this.#pending.push(dated);
    // What happens while the last batch is being stored becomes the next: one flush to disk for many
    // events, their ids in the order of happening.
    if (this.#pending.length === 1) this.#storing = this.#storing.then(() => this.#store());
  }

  async #store(): Promise<void> {
    const batch = this.#pending.splice(0, EVENTS_A_BATCH);
    if (batch.length === 0) return;
    try {
      for (const event of await this.#storage.appendEvents(batch)) {
        for (const listener of this.#listeners) listener(event);
      }
    } catch (thrown) {
      this.#logger.error({ err: thrown }, 'events could not be stored');
    }
    if (this.#pending.length === 0) return;
    await nextTurn();
    await this.#store();
  }

  /** Events added and not yet handed to storage. */
  get waiting(): number {
    return this.#pending.length;
  }

  subscribe(listener: (event: Event) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves once everything added so far is stored. */
  flush(): Promise<void> {
    return this.#storing;
  }
}
