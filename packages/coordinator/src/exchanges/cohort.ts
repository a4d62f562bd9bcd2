import type { Added, Norms, OwnMeans } from '@coppice/federation';
import type { CoppiceError, ErrorCode, Outcome } from '@coppice/protocol';
import { Failure } from '../failure.ts';
import type { Bytes } from '../rounds/audience.ts';

/** A participant that an exchange asked, with the outcome. */
export interface CohortMember {
  outcome: Outcome;
  /** Milliseconds from the question to the outcome. */
  milliseconds: number | null;
  readonly bytesBefore: Bytes;
  /** True once an answer of this member was refused in this attempt. */
  refused: boolean;
  /** True once this member reported, or was told, that its training diverged. */
  diverged: boolean;
  /** The weight of its counted answer; 0 before. */
  weight: number;
  /** True where this is less than it claimed. */
  capped: boolean;
  /** The smallest factor by which limits scaled any of its vectors down; 1: they were within the limits. */
  factor: number;
  /** The factors of its vectors' steps and averages, by group. */
  factors: Added['factors'];
  /** Means of its answer's measures; `null` before. */
  means: OwnMeans | null;
  /** L2 norms of its vectors before scaling, by name. */
  norms: Norms;
  /** Settles when the member's complete answer has been inspected; `null`: there is none to inspect. */
  taking: Promise<CohortMember> | null;
  /** True where this member missed a successful exchange: it was asked, had its time, and gave no answer. */
  missed: boolean;
  /** Settles when the member's answer is on disk. */
  stored: Promise<void> | null;
}

/** Codes that an honest device sends or receives when its training diverges. */
const divergedCodes: ReadonlySet<ErrorCode> = new Set([
  'training-diverged',
  'update-not-finite',
  'update-out-of-range',
  'update-norm',
]);

export function tellsDivergence(code: string): boolean {
  return divergedCodes.has(code as ErrorCode);
}

/** The target of answers, and the quorum below which the exchange fails. */
export interface Wanted {
  readonly target: number;
  readonly quorum: number;
  /** Members whose answers do not count toward the target, and that are not awaited. Default: none. */
  readonly beyond?: readonly string[];
  /** Members that are awaited even when the target is met. Default: none. */
  readonly owed?: readonly string[];
}

/** The participants that an exchange asked. */
export class Cohort {
  readonly #members: Map<string, CohortMember>;
  readonly #wanted: Wanted;
  readonly #beyond: ReadonlySet<CohortMember>;
  readonly #owed: ReadonlySet<CohortMember>;
  readonly #bytes: (participant: string) => Bytes;
  /** True where participants may become members until the time is up. */
  readonly #isOpen: boolean;

  constructor(
    ids: readonly string[] | 'anyone',
    wanted: Wanted,
    begin: { outcome: 'asked' | 'away'; bytes: (participant: string) => Bytes },
  ) {
    this.#wanted = wanted;
    this.#bytes = begin.bytes;
    this.#isOpen = ids === 'anyone';
    const chosen = ids === 'anyone' ? [] : ids;
    this.#members = new Map(chosen.map((id) => [id, newMember(begin.outcome, begin.bytes(id))]));
    const members = (some: readonly string[] = []) =>
      new Set(some.map((id) => this.#members.get(id)).filter((member) => member !== undefined));
    this.#beyond = members(wanted.beyond);
    this.#owed = members(wanted.owed);
  }

  get size(): number {
    return this.#members.size;
  }

  /** Makes a participant a member, where any participant may become one. */
  admit(participant: string): void {
    if (this.#isOpen && !this.#members.has(participant))
      this.#members.set(participant, newMember('asked', this.#bytes(participant)));
  }

  get(participant: string): CohortMember | undefined {
    return this.#members.get(participant);
  }

  has(participant: string): boolean {
    return this.#members.has(participant);
  }

  ids(): IterableIterator<string> {
    return this.#members.keys();
  }

  entries(): IterableIterator<[string, CohortMember]> {
    return this.#members.entries();
  }

  /** The participant's member record, if it was asked and still owes an answer; otherwise `null`. */
  owing(participant: string): CohortMember | null {
    const member = this.#members.get(participant);
    return member !== undefined && owes(member) ? member : null;
  }

  count(which: (member: CohortMember) => boolean): number {
    let members = 0;
    for (const member of this.#members.values()) if (which(member)) members++;
    return members;
  }

  /** One kind of mean of each member whose answer counts. */
  *means(which: Exclude<keyof OwnMeans, 'held'>): Iterable<number | null> {
    for (const { means } of this.#members.values()) if (means !== null) yield means[which];
  }

  get accepted(): number {
    return this.count(({ outcome }) => outcome === 'accepted');
  }

  /**
   * Decides to wait or to close.
   *
   * - `enough`: the target is met and no owed answer is still expected, or none is and the quorum is met.
   * - `lost`: even if all expected answers came, the quorum would not be met.
   * - `wait`: neither; or the quorum is lost, and the members still at work decide that the training diverged.
   *
   * In an exchange with `anyone`, more members are expected until the time is up.
   */
  verdict(timeIsUp: boolean): 'enough' | 'lost' | 'wait' {
    const { target, quorum } = this.#wanted;
    // Asked after each answer of anyone: no member is looked at for it.
    if (this.#isOpen && !timeIsUp && target === Number.POSITIVE_INFINITY) return 'wait';
    const accepted = this.accepted;
    // An answer that is here whole, and still being looked at, came in time.
    const isExpected = (member: CohortMember) => owes(member) && (!timeIsUp || member.taking !== null);
    const seats = this.count((member) => member.outcome === 'accepted' && !this.#beyond.has(member));
    if (seats >= target && ![...this.#owed].some(isExpected)) return 'enough';
    const expected = this.count(isExpected);
    if (this.#isOpen && !timeIsUp) return 'wait';
    if (accepted + expected < quorum) return this.#mayDiverge(expected) ? 'wait' : 'lost';
    const waits = this.count((member) => isExpected(member) && !this.#beyond.has(member)) > 0;
    return !waits && accepted >= quorum ? 'enough' : 'wait';
  }

  /** The reason of a `lost` exchange. */
  lostBecause(timeIsUp: boolean): CoppiceError {
    const { quorum } = this.#wanted;
    const failed = this.#diverged;
    if (this.#isDivergence(failed)) {
      return new Failure({
        code: 'training-diverged',
        facts: { on: 'devices', diverged: failed, asked: this.size },
      });
    }
    const facts = { accepted: this.accepted, quorum, deadline: timeIsUp };
    return new Failure({ code: 'quorum-lost', facts });
  }

  /**
   * Marks members that have not answered as late. Call before the exchange is stored.
   *
   * @param misses the members that missed it: `none` after a restart, `out` where it closed before its deadline (those
   *   that declined, left or were refused), `all` at its deadline.
   */
  settle(misses: 'none' | 'out' | 'all' = 'none'): void {
    for (const member of this.#members.values()) {
      const late = owes(member);
      if (late) member.outcome = 'late';
      if (member.outcome !== 'accepted') member.missed ||= misses === 'all' || (misses === 'out' && !late);
    }
  }

  get #diverged(): number {
    return this.count(({ diverged }) => diverged);
  }

  /** Checks that there are diverged members, and that the expected ones can complete or contradict a divergence. */
  #mayDiverge(expected: number): boolean {
    const failed = this.#diverged;
    return failed > 0 && expected > 0 && this.#isDivergence(failed + expected);
  }

  /** Checks that this many diverged members are most of the cohort, and leave too few others for a quorum. */
  #isDivergence(failed: number): boolean {
    return 2 * failed > this.size && this.size - failed < this.#wanted.quorum;
  }
}

function newMember(outcome: 'asked' | 'away', bytesBefore: Bytes): CohortMember {
  return {
    outcome,
    milliseconds: null,
    bytesBefore,
    refused: false,
    diverged: false,
    weight: 0,
    capped: false,
    factor: 1,
    factors: new Map(),
    means: null,
    norms: {},
    taking: null,
    missed: false,
    stored: null,
  };
}

export function owes({ outcome }: Pick<CohortMember, 'outcome'>): boolean {
  return outcome === 'asked' || outcome === 'away';
}
