import type { Watch } from '@coppice/protocol';

const NOBODY: ReadonlySet<string> = new Set();

/** Participants that watch runs without having joined them. */
export class Watches {
  /** The watched runs of each participant. */
  readonly #runs = new Map<string, readonly string[]>();
  readonly #watching = new Map<string, Set<string>>();
  readonly #arrivals = new Set<string>();

  /** Replaces a participant's watches. */
  set(participant: string, { runs, arrivals }: Watch): void {
    this.clear(participant);
    this.#runs.set(participant, runs);
    for (const run of runs) {
      const watching = this.#watching.get(run) ?? new Set();
      this.#watching.set(run, watching.add(participant));
    }
    if (arrivals) this.#arrivals.add(participant);
  }

  /** Removes a participant's watches. */
  clear(participant: string): void {
    for (const run of this.#runs.get(participant) ?? []) {
      const watching = this.#watching.get(run);
      watching?.delete(participant);
      if (watching?.size === 0) this.#watching.delete(run);
    }
    this.#runs.delete(participant);
    this.#arrivals.delete(participant);
  }

  /** Participants that watch this run. */
  of(run: string): ReadonlySet<string> {
    return this.#watching.get(run) ?? NOBODY;
  }

  /** Participants to tell of each run that is created, starts, pauses, resumes, ends or changes its admission. */
  get arrivals(): ReadonlySet<string> {
    return this.#arrivals;
  }
}
