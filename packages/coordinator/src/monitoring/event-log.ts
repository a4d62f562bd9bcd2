import type { Clock } from '@coppice/ports';
import type { Event } from '@coppice/protocol';
import type { Logger } from 'pino';
import type { EventToStore, Storage } from '../storage/storage.ts';
import { nextTurn } from '../turns.ts';
import { Coalescing } from './coalescing.ts';
import { eventRow } from './event-row.ts';
import type { NewEvent } from './new-event.ts';

/** Events stored at once; in a burst of thousands, other work runs between batches. */
export const EVENTS_A_BATCH = 200;
/** Newest events to keep; older ones are deleted. */
export const EVENTS_KEPT = 100_000;
/** Events deleted at a time, so that not every batch deletes some. */
const EVENTS_AT_ONCE = 1000;
/** Milliseconds within which similar events of one participant are counted. */
export const EVENT_WINDOW = 60_000;

/** The event log: stores events, writes them to the structured log, and passes them to listeners, in order. */
export class EventLog {
  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #kept: number;
  readonly #listeners = new Set<(event: Event) => void>();
  readonly #coalescing = new Coalescing();
  #endWindow: (() => void) | null = null;
  /** Events below this id are deleted. */
  #first = 0;
  #pending: EventToStore[] = [];
  #storing: Promise<void> = Promise.resolve();

  /** @param kept number of newest events to keep. */
  constructor(storage: Storage, clock: Clock, logger: Logger, kept = EVENTS_KEPT) {
    this.#storage = storage;
    this.#clock = clock;
    this.#logger = logger;
    this.#kept = kept;
  }

  add(event: NewEvent): void {
    const { participant } = event;
    if (participant !== undefined) {
      this.#endWindow ??= this.#clock.setTimer(EVENT_WINDOW, () => this.#windowEnds());
      if (!this.#coalescing.take(participant, event)) return;
    }
    this.#write(event);
  }

  #windowEnds(): void {
    this.#endWindow = null;
    for (const event of this.#coalescing.end()) this.#write(event);
    if (!this.#coalescing.isEmpty)
      this.#endWindow = this.#clock.setTimer(EVENT_WINDOW, () => this.#windowEnds());
  }

  #write(event: NewEvent): void {
    const row = eventRow(event, this.#clock.now());
    const { level, message, ...rest } = row;
    const { participant } = event;
    const about = participant === undefined ? {} : { participant };
    this.#logger[level === 'warning' ? 'warn' : level]({ ...rest, ...about }, message);
    this.#pending.push(row);
    // Events during the storing of a batch become the next batch: one flush to disk for many events, with ids in
    // order.
    if (this.#pending.length === 1) this.#storing = this.#storing.then(() => this.#store());
  }

  async #store(): Promise<void> {
    const batch = this.#pending.splice(0, EVENTS_A_BATCH);
    if (batch.length === 0) return;
    try {
      const stored = await this.#storage.appendEvents(batch);
      for (const event of stored) for (const listener of this.#listeners) listener(event);
      await this.#forget(stored.at(-1)?.id ?? 0);
    } catch (thrown) {
      this.#logger.error({ err: thrown }, 'events could not be stored');
    }
    if (this.#pending.length === 0) return;
    await nextTurn();
    await this.#store();
  }

  /** Deletes events that are older than the ones to keep. */
  async #forget(newest: number): Promise<void> {
    const first = newest - this.#kept + 1;
    if (first < this.#first + EVENTS_AT_ONCE) return;
    await this.#storage.forgetEvents(first);
    this.#first = first;
  }

  /** Events added and not yet passed to storage. */
  get waiting(): number {
    return this.#pending.length;
  }

  subscribe(listener: (event: Event) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves once all events so far are stored, counted ones included. */
  flush(): Promise<void> {
    this.#endWindow?.();
    this.#windowEnds();
    this.#endWindow?.();
    this.#endWindow = null;
    return this.#storing;
  }
}
