import { CoppiceError } from '@coppice/protocol';
import { type Cohort, type CohortMember, owes } from './cohort.ts';

/** Admits an answer only while its exchange is open, and only from a member that still owes one. */
export class Gate {
  readonly #cohort: Cohort;
  readonly #title: string;
  #closed = false;

  /** @param title a phrase for messages, e.g. `round 3`. */
  constructor(cohort: Cohort, title: string) {
    this.#cohort = cohort;
    this.#title = title;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  close(): void {
    this.#closed = true;
  }

  isWanted(participant: string): boolean {
    const member = this.#cohort.get(participant);
    return !this.#closed && member !== undefined && owes(member);
  }

  /** @throws CoppiceError `update-late`, `update-not-selected` */
  wanted(participant: string): CohortMember {
    this.ensureOpen();
    const member = this.#cohort.get(participant);
    if (member === undefined) {
      throw new CoppiceError('update-not-selected', `This participant was not selected for ${this.#title}.`);
    }
    if (owes(member)) return member;
    throw new CoppiceError(
      'update-late',
      `This participant has left ${this.#title}. The update does not count.`,
    );
  }

  /** @throws CoppiceError `update-late` */
  ensureOpen(): void {
    if (!this.#closed) return;
    const title = `${this.#title[0]?.toUpperCase()}${this.#title.slice(1)}`;
    throw new CoppiceError(
      'update-late',
      `${title} has closed. The update does not count; go on with the current model.`,
    );
  }
}
