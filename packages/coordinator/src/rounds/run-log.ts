import { CoppiceError, type Event, type EventData, type EventKind } from '@coppice/protocol';
import { failureData, reasonOf } from '../failure.ts';
import type { RunEvent } from '../monitoring/new-event.ts';
import type { RunObserver, RunState } from './run-state.ts';

/** The events of one run, each with the round in which it happened. */
export class RunLog {
  readonly #state: Pick<RunState, 'exchanges' | 'model'>;
  readonly #observer: Pick<RunObserver, 'event'>;

  constructor(state: Pick<RunState, 'exchanges' | 'model'>, observer: Pick<RunObserver, 'event'>) {
    this.#state = state;
    this.#observer = observer;
  }

  /** @param round left out: the open round, or the last one; none before the first. */
  add<K extends EventKind>(level: Event['level'], kind: K, data: EventData[K], round = this.#round()): void {
    this.#observer.event({ round, level, kind, data } as RunEvent);
  }

  /** An event about one participant: many that are alike are counted in the log. */
  about<K extends EventKind>(participant: string, level: Event['level'], kind: K, data: EventData[K]): void {
    this.#observer.event({ round: this.#round(), level, kind, participant, data } as RunEvent);
  }

  /** Logs a failure of storage for which no caller waits. */
  notStored(thrown: unknown): void {
    const reason = reasonOf(CoppiceError.from(thrown, 'storage-failed'));
    this.add('error', 'storage-failed', failureData(reason));
  }

  #round(): number | null {
    const { exchanges, model } = this.#state;
    return exchanges.round?.opening.round ?? (model.round || null);
  }
}
