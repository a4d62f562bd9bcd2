import type { Norms } from '@coppice/federation';
import { CoppiceError, type ErrorCode, type Outcome } from '@coppice/protocol';
import type { Bytes } from '../rounds/audience.ts';

/** A participant that an exchange asked, and what became of the question. */
export interface CohortMember {
  outcome: Outcome;
  /** Milliseconds from being asked to the outcome. */
  milliseconds: number | null;
  readonly bytesBefore: Bytes;
  /** Whether an answer of this member was refused in this attempt. */
  refused: boolean;
  /** Whether this member said, or was told, that its training diverged. */
  diverged: boolean;
  /** The weight that counted; 0 before. */
  weight: number;
  /** Whether that is less than it claimed. */
  capped: boolean;
  /** The factor by which limits shortened its vectors; 1: they count as they came. */
  factor: number;
  /** L2 norms of its vectors as they came, by name. */
  norms: Norms;
  /** Settles when the member's answer, which is here whole, was looked at; `null`: none is here that was not. */
  taking: Promise<unknown> | null;
  /** Settles when the member's answer is on disk. */
  stored: Promise<void> | null;
}

/** Codes that an honest device sends, or is sent, when its training diverges. */
const divergedCodes: ReadonlySet<ErrorCode> = new Set([
  'training-diverged',
  'update-not-finite',
  'update-out-of-range',
  'update-norm',
]);

export function tellsDivergence(code: string): boolean {
  return divergedCodes.has(code as ErrorCode);
}

/** Answers aimed for, and those without which the exchange comes to nothing. */
export interface Wanted {
  readonly target: number;
  readonly quorum: number;
}

/** The participants that an exchange asked. */
export class Cohort {
  readonly #members: Map<string, CohortMember>;
  readonly #wanted: Wanted;

  constructor(
    ids: readonly string[],
    wanted: Wanted,
    begin: { outcome: 'asked' | 'away'; bytes: (participant: string) => Bytes },
  ) {
    this.#wanted = wanted;
    this.#members = new Map(
      ids.map((id) => [
        id,
        {
          outcome: begin.outcome,
          milliseconds: null,
          bytesBefore: begin.bytes(id),
          refused: false,
          diverged: false,
          weight: 0,
          capped: false,
          factor: 1,
          norms: {},
          taking: null,
          stored: null,
        },
      ]),
    );
  }

  get size(): number {
    return this.#members.size;
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

  /** The member that this participant is, if it was asked and still owes an answer; else `null`. */
  owing(participant: string): CohortMember | null {
    const member = this.#members.get(participant);
    return member !== undefined && owes(member) ? member : null;
  }

  count(which: (member: CohortMember) => boolean): number {
    let members = 0;
    for (const member of this.#members.values()) if (which(member)) members++;
    return members;
  }

  get accepted(): number {
    return this.count(({ outcome }) => outcome === 'accepted');
  }

  /**
   * Whether to go on waiting.
   *
   * - `enough`: the target is met, or nobody is left to wait for and the quorum is.
   * - `lost`: even if all who are still expected answered, the quorum would not be met.
   * - `wait`: neither; or the quorum is lost, and those still at work decide whether the training diverged.
   */
  verdict(timeIsUp: boolean): 'enough' | 'lost' | 'wait' {
    const { target, quorum } = this.#wanted;
    const accepted = this.accepted;
    if (accepted >= target) return 'enough';
    // An answer that is here whole, and still being looked at, came in time.
    const expected = this.count((member) => owes(member) && (!timeIsUp || member.taking !== null));
    if (accepted + expected < quorum) return this.#mayDiverge(expected) ? 'wait' : 'lost';
    return expected === 0 ? 'enough' : 'wait';
  }

  /** The reason of a `lost` exchange. */
  lostBecause(timeIsUp: boolean): CoppiceError {
    const { quorum } = this.#wanted;
    const failed = this.#diverged;
    if (this.#isDivergence(failed)) {
      return new CoppiceError(
        'training-diverged',
        `The training diverged on ${failed} of the ${this.size} devices that were asked: a loss or an update was not finite, or too large. A smaller learning rate may help.`,
      );
    }
    return new CoppiceError(
      'quorum-lost',
      `${this.accepted} of ${quorum} needed updates came${timeIsUp ? ' before the deadline' : ', and too few participants are left'}.`,
    );
  }

  /** Marks members that have not answered as late. Call before the exchange is stored. */
  settle(): void {
    for (const member of this.#members.values()) if (owes(member)) member.outcome = 'late';
  }

  get #diverged(): number {
    return this.count(({ diverged }) => diverged);
  }

  /** Whether the exchange has diverged members, and those still expected can make, or contradict, a divergence. */
  #mayDiverge(expected: number): boolean {
    const failed = this.#diverged;
    return failed > 0 && expected > 0 && this.#isDivergence(failed + expected);
  }

  /** Whether so many diverged members are most of the cohort, and make the quorum impossible without anybody else. */
  #isDivergence(failed: number): boolean {
    return 2 * failed > this.size && this.size - failed < this.#wanted.quorum;
  }
}

export function owes({ outcome }: Pick<CohortMember, 'outcome'>): boolean {
  return outcome === 'asked' || outcome === 'away';
}
