import type { Round } from '@coppice/protocol';

/** Consecutive missed rounds after which a participant is asked beyond the target. */
export const SEVERAL_MISSES = 3;
/** Rounds after the last miss for which that holds. */
export const BEYOND_FOR = 10;
/** Rounds that do not wait for overtaken participants, after one that did so in vain. */
export const PAUSE_OF_WAITING = 3;
/** Rounds after which a participant's misses are forgotten, and that a round waited for it in vain. */
export const MEMORY = 100;

/**
 * The standing of a participant in the next round. `seat`: its answer counts toward the target. `owed`: a seat, and the
 * round does not close before its answer, or its deadline. `beyond`: asked in addition to the target; its answer
 * counts, and the round neither waits for it nor closes by it.
 */
export type Standing = 'seat' | 'owed' | 'beyond';

interface Past {
  /** Consecutive missed rounds. */
  readonly misses: number;
  /** The last round missed. */
  readonly missedAt: number;
  /** True where the last round closed with enough answers before this participant's. */
  readonly overtaken: boolean;
  /** The last round with information on it. */
  readonly at: number;
}

/**
 * Attendance of participants in committed rounds, for the selection of the next cohort. It depends only on round
 * records, so that it is the same after a restart; an abandoned attempt is no miss. Further attempts of the same round
 * also know, in memory only, the members that declined earlier ones, so that the same members cannot make all of them
 * fail.
 */
export class Attendance {
  readonly #past = new Map<string, Past>();
  readonly #declined = new Set<string>();
  /**
   * The round that waited in vain for a participant. An answer does not take that back: silence and answers in turn
   * would keep all rounds from waiting for anybody.
   */
  readonly #letWait = new Map<string, number>();
  #waitedInVain = Number.NEGATIVE_INFINITY;

  /** @param rounds records in the order of rounds and attempts. */
  constructor(rounds: Iterable<Round> = []) {
    for (const round of rounds) this.add(round);
  }

  /**
   * Records that a member declined an attempt that lost its quorum: further attempts of the round ask it beyond their
   * target.
   */
  declined(participant: string): void {
    this.#declined.add(participant);
  }

  /** Adds the record of a round, in order. Rounds that were not committed are ignored. */
  add({ outcome, round, cohort }: Round): void {
    if (outcome !== 'committed') return;
    this.#declined.clear();
    let waitedInVain = false;
    for (const { participant, outcome, missed = false } of cohort) {
      if (outcome === 'accepted') {
        this.#past.delete(participant);
        continue;
      }
      if (missed && outcome === 'late' && this.standing(participant, round) === 'owed') {
        this.#letWait.set(participant, round);
        waitedInVain = true;
      }
      if (!missed && outcome !== 'late') continue;
      const { misses, missedAt } = this.#past.get(participant) ?? { misses: 0, missedAt: 0 };
      this.#past.set(
        participant,
        missed
          ? { misses: misses + 1, missedAt: round, overtaken: false, at: round }
          : { misses, missedAt, overtaken: true, at: round },
      );
    }
    if (waitedInVain) this.#waitedInVain = round;
    for (const [participant, { at }] of this.#past) if (round - at >= MEMORY) this.#past.delete(participant);
    for (const [participant, at] of this.#letWait)
      if (round - at >= MEMORY) this.#letWait.delete(participant);
  }

  standing(participant: string, round: number): Standing {
    if (this.#declined.has(participant)) return 'beyond';
    const past = this.#past.get(participant);
    if (past === undefined) return 'seat';
    if (past.misses >= SEVERAL_MISSES) return round - past.missedAt <= BEYOND_FOR ? 'beyond' : 'seat';
    // Only one that misses nothing is waited for: silence costs a round its deadline once, not each time.
    const waits = round - this.#waitedInVain > PAUSE_OF_WAITING;
    return waits && past.misses === 0 && past.overtaken && !this.#letWait.has(participant) ? 'owed' : 'seat';
  }
}
