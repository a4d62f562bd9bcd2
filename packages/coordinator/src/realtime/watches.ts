import type { Watch } from '@coppice/protocol';

const NOBODY: ReadonlySet<string> = new Set();

/** Participants that asked to be told of runs which they have not joined. */
export class Watches {
  /** The runs that each participant named. */
  readonly #runs = new Map<string, readonly string[]>();
  readonly #watching = new Map<string, Set<string>>();
  readonly #arrivals = new Set<string>();

  /** Takes the place of what the participant watched before. */
  set(participant: string, { runs, arrivals }: Watch): void {
    this.clear(participant);
    this.#runs.set(participant, runs);
    for (const run of runs) {
      const watching = this.#watching.get(run) ?? new Set();
      this.#watching.set(run, watching.add(participant));
    }
    if (arrivals) this.#arrivals.add(participant);
  }

  /** The participant watches nothing any more. */
  clear(participant: string): void {
    for (const run of this.#runs.get(participant) ?? []) {
      const watching = this.#watching.get(run);
      watching?.delete(participant);
      if (watching?.size === 0) this.#watching.delete(run);
    }
    this.#runs.delete(participant);
    this.#arrivals.delete(participant);
  }

  /** Participants that named this run. */
  of(run: string): ReadonlySet<string> {
    return this.#watching.get(run) ?? NOBODY;
  }

  /** Participants that want to hear of each run that comes, goes on, stops or ends. */
  get arrivals(): ReadonlySet<string> {
    return this.#arrivals;
  }
}
