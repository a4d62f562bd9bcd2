import type { NewEvent } from './new-event.ts';

/** The most kinds of events written for one participant within a window; others are only counted. */
export const KINDS_A_SENDER = 8;

interface Kept {
  /** The newest event of this kind. */
  event: NewEvent;
  /** Events since the last one written. */
  more: number;
}

/**
 * Keeps one participant from flooding the event log. Of its similar events (same run, kind and code) the first in a
 * window is written; the others are counted and become one row at the window's end. As long as they continue, there is
 * one such row a window.
 */
export class Coalescing {
  /** By participant, then by the key of similar events. */
  readonly #kept = new Map<string, Map<string, Kept>>();

  get isEmpty(): boolean {
    return this.#kept.size === 0;
  }

  /** @returns true where the event is to be written now. */
  take(participant: string, event: NewEvent): boolean {
    let kinds = this.#kept.get(participant);
    if (kinds === undefined) {
      kinds = new Map();
      this.#kept.set(participant, kinds);
    }
    const key = JSON.stringify([event.run, event.kind, 'code' in event.data ? event.data.code : null]);
    const known = kinds.get(key);
    if (known === undefined && kinds.size < KINDS_A_SENDER) {
      kinds.set(key, { event, more: 0 });
      return true;
    }
    const kept = known ?? kinds.get(REST) ?? { event: restOf(event), more: 0 };
    if (known === undefined) kinds.set(REST, kept);
    else kept.event = event;
    kept.more++;
    return false;
  }

  /** Ends a window. @returns the rows for its counted events. */
  end(): NewEvent[] {
    const rows: NewEvent[] = [];
    for (const [participant, kinds] of this.#kept) {
      for (const [key, { event, more }] of kinds) {
        if (more === 0) kinds.delete(key);
        else {
          rows.push({ ...event, count: more });
          kinds.set(key, { event, more: 0 });
        }
      }
      if (kinds.size === 0) this.#kept.delete(participant);
    }
    return rows;
  }
}

const REST = 'rest';

function restOf({ run, round, participant }: NewEvent): NewEvent {
  return {
    run,
    round,
    level: 'warning',
    kind: 'participant-events',
    data: {},
    ...(participant === undefined ? {} : { participant }),
  };
}
