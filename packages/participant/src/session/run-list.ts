import { MAX_WATCHED_RUNS, type RunSummary } from '@coppice/protocol';
import { isOver } from '../activity.ts';
import { contentOf, type Line } from './line.ts';
import type { StateStore } from './state-store.ts';

/** The runs that listeners see: those of the welcome, or those that the program watches, and what is told of them since. */
export class RunList {
  readonly #line: Line;
  readonly #store: StateStore;
  /** Runs that the program wants to hear of beside the one that it joined; `null`: of none, and of none that comes. */
  #watched: readonly string[] | null = null;

  constructor({ line, store }: { line: Line; store: StateStore }) {
    this.#line = line;
    this.#store = store;
  }

  /**
   * Watches these runs, in place of those before.
   *
   * @param joined stays in the list.
   * @throws CoppiceError `connection-lost`; the coordinator's refusal.
   */
  async watch(runs: readonly string[], joined: () => string | null): Promise<void> {
    this.#watched = runs.slice(0, MAX_WATCHED_RUNS);
    if (!this.#store.isOnline) return;
    const listed = await this.#listed(this.#watched);
    const kept = this.#store.state.runs.filter(({ id }) => id === joined());
    this.#store.set({ runs: withRuns(kept, listed) });
  }

  get isWatching(): boolean {
    return this.#watched !== null;
  }

  /**
   * Watches the same runs on a new connection, which watches nothing yet.
   *
   * @returns those of them that there are, and all that are not over.
   * @throws CoppiceError `connection-lost`; the coordinator's refusal.
   */
  watchAgain(): Promise<RunSummary[]> {
    return this.#listed(this.#watched ?? []);
  }

  /** Takes newer words of some runs. */
  with(newer: readonly RunSummary[]): RunSummary[] {
    return withRuns(this.#store.state.runs, newer);
  }

  /**
   * Which of these runs, or of those in the list, are over. Runs that are not in the list are asked for.
   *
   * @throws CoppiceError `connection-lost`
   */
  async over(among: readonly string[]): Promise<ReadonlySet<string>> {
    const told = new Set(this.#store.state.runs.map(({ id }) => id));
    const watched = this.#watched ?? [];
    const runs = [...watched, ...among.filter((run) => !told.has(run))].slice(0, MAX_WATCHED_RUNS);
    const reply =
      runs.length === watched.length
        ? null
        : await this.#line.request('watch', { runs, arrivals: this.#watched !== null });
    const now = reply?.ok === true ? reply.value.runs : this.#store.state.runs;
    return new Set(now.filter(({ status }) => isOver(status)).map(({ id }) => id));
  }

  /** Asks to be told of runs and of all that come. @returns those of them that there are, and all that are not over. */
  async #listed(runs: readonly string[]): Promise<RunSummary[]> {
    return contentOf(await this.#line.request('watch', { runs: [...runs], arrivals: true })).runs;
  }
}

/** Runs with newer words of some of them, and with those that came; the newest first. */
export function withRuns(runs: readonly RunSummary[], newer: readonly RunSummary[]): RunSummary[] {
  const told = new Set(newer.map(({ id }) => id));
  return [...newer, ...runs.filter(({ id }) => !told.has(id))].sort((a, b) => (a.id < b.id ? 1 : -1));
}
