import { CoppiceError, type Event, type EventData, type EventKind } from '@coppice/protocol';
import { failureData, reasonOf } from '../failure.ts';
import type { RunEvent } from '../monitoring/new-event.ts';
import type { RunObserver, RunState } from './run-state.ts';

/** The events of one run, each with its round. */
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

  /** Adds an event about one participant; the log counts similar ones. */
  about<K extends EventKind>(participant: string, level: Event['level'], kind: K, data: EventData[K]): void {
    this.#observer.event({ round: this.#round(), level, kind, participant, data } as RunEvent);
  }

  /** Logs a failed write that nothing awaits. */
  notStored(thrown: unknown): void {
    const reason = reasonOf(CoppiceError.from(thrown, 'storage-failed'));
    this.add('error', 'storage-failed', failureData(reason));
  }

  #round(): number | null {
    const { exchanges, model } = this.#state;
    return exchanges.round?.opening.round ?? (model.round || null);
  }
}
