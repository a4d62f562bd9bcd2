import { CoppiceError } from '@coppice/protocol';
import { initialState, type SessionState } from '../session-state.ts';

/** The state of a session, and the listeners that are told of each change of it. */
export class StateStore {
  readonly #listeners = new Set<(state: SessionState) => void>();
  #state: SessionState = initialState;

  /** Replaced at every change. */
  get state(): SessionState {
    return this.#state;
  }

  get isOnline(): boolean {
    return this.#state.connection === 'online';
  }

  subscribe(changed: (state: SessionState) => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  set(change: Partial<SessionState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener(this.#state);
  }

  /** Shows a failure. */
  fail(thrown: unknown): void {
    this.set({ error: CoppiceError.from(thrown).toWire() });
  }
}
