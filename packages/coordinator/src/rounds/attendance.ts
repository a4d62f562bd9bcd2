import type { Round } from '@coppice/protocol';

/** Rounds that tell of a participant (it answered, or missed them) by which it is judged: the last so many. */
export const WINDOW = 20;
/** Share of misses among these above which a participant is asked beyond the target. */
const MOST_MISSED = 1 / 3;
/** Fewest misses at which that is looked at. */
export const SEVERAL_MISSES = 3;
/** Rounds without a word of such a participant after which it has a seat in one, to show that it answers. */
export const BEYOND_FOR = 10;
/** Times that others needed beyond which a round waited long for an owed answer. */
const LONG_WAIT = 2;
/** Rounds that do not wait for overtaken participants, after one that did so in vain. */
export const PAUSE_OF_WAITING = 3;
/** Rounds after which a participant that none asked is forgotten, and that a round waited for it in vain. */
export const MEMORY = 100;

/**
 * The standing of a participant in the next round. `seat`: its answer counts toward the target. `owed`: a seat, and the
 * round does not close before its answer, or its deadline. `beyond`: asked in addition to the target; its answer
 * counts, and the round neither waits for it nor closes by it.
 */
export type Standing = 'seat' | 'owed' | 'beyond';

interface Past {
  /** The last rounds that tell of it, the newest last: true where it missed one. */
  readonly missed: readonly boolean[];
  /** The newest of these. */
  readonly toldAt: number;
  /** True where the last round closed with enough answers before this participant's. */
  readonly overtaken: boolean;
  /** The last round that asked it. */
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
   * The rounds up to which none waits for a participant, since one did so in vain or for long. An answer does not take
   * that back: silence and answers in turn would keep all rounds from waiting for anybody.
   */
  readonly #notWaitedFor = new Map<string, number>();
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
    const owed = new Set(
      cohort.map(({ participant }) => participant).filter((id) => this.standing(id, round) === 'owed'),
    );
    this.#judgeWaiting(round, cohort, owed);
    for (const { participant, outcome, missed = false } of cohort) {
      const past = this.#past.get(participant) ?? { missed: [], toldAt: Number.NEGATIVE_INFINITY };
      if (missed || outcome === 'accepted')
        this.#past.set(participant, {
          missed: [...past.missed, missed].slice(-WINDOW),
          toldAt: round,
          overtaken: false,
          at: round,
        });
      else if (outcome === 'late') this.#past.set(participant, { ...past, overtaken: true, at: round });
    }
    for (const [participant, { at }] of this.#past) if (round - at >= MEMORY) this.#past.delete(participant);
    for (const [participant, until] of this.#notWaitedFor)
      if (round >= until) this.#notWaitedFor.delete(participant);
  }

  /**
   * Ends the waiting for those whose owed answers did not come, or came long after the others'. A round that took n times
   * as long as the others needed is followed by n rounds (`MEMORY` at most) that do not wait for it: a slow participant at
   * most doubles the time of rounds, and is heard again and again.
   */
  #judgeWaiting(round: number, cohort: Round['cohort'], owed: ReadonlySet<string>): void {
    const needed = upperQuartile(
      cohort
        .filter(({ participant, outcome }) => outcome === 'accepted' && !owed.has(participant))
        .map(({ milliseconds }) => milliseconds ?? 0),
    );
    for (const { participant, outcome, missed = false, milliseconds } of cohort) {
      if (!owed.has(participant)) continue;
      if (missed && outcome === 'late') {
        this.#notWaitedFor.set(participant, round + MEMORY);
        this.#waitedInVain = round;
      } else if (outcome === 'accepted' && needed !== null && (milliseconds ?? 0) > LONG_WAIT * needed) {
        const times = Math.ceil((milliseconds ?? 0) / needed);
        this.#notWaitedFor.set(participant, round + Math.min(times, MEMORY));
      }
    }
  }

  standing(participant: string, round: number): Standing {
    if (this.#declined.has(participant)) return 'beyond';
    const past = this.#past.get(participant);
    if (past === undefined) return 'seat';
    if (missesMany(past)) return round - past.toldAt <= BEYOND_FOR ? 'beyond' : 'seat';
    // Only one whose last word was an answer is waited for: silence costs a round its deadline once, not each time.
    const waits = round - this.#waitedInVain > PAUSE_OF_WAITING && past.missed.at(-1) !== true;
    const until = this.#notWaitedFor.get(participant) ?? Number.NEGATIVE_INFINITY;
    return waits && past.overtaken && round > until ? 'owed' : 'seat';
  }
}

function missesMany({ missed }: Past): boolean {
  const misses = missed.filter((one) => one).length;
  return misses >= SEVERAL_MISSES && misses > MOST_MISSED * missed.length;
}

/** The time within which three quarters of the answers came; `null` where there are none. */
function upperQuartile(times: readonly number[]): number | null {
  return times.toSorted((a, b) => a - b)[Math.ceil(0.75 * times.length) - 1] ?? null;
}
