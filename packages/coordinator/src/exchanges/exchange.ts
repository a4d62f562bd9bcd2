import {
  type Added,
  type Contribution,
  finish,
  type Limits,
  type OwnMeans,
  ownMeans,
  STEP_PARAMETERS,
  type Steps,
  type Sum,
} from '@coppice/federation';
import type { Clock } from '@coppice/ports';
import {
  type Answer,
  type AnswerPiece,
  CoppiceError,
  FRAME_HEADER_BYTES,
  frameBytes,
  isHeaderAlone,
  PIECE_BYTES,
} from '@coppice/protocol';
import type { Bytes } from '../rounds/audience.ts';
import type { Spool } from '../storage/spool.ts';
import { nextTurn } from '../turns.ts';
import type { AnswerForm } from './answer-form.ts';
import { Cohort, type CohortMember, owes, tellsDivergence, type Wanted } from './cohort.ts';
import { Grace } from './grace.ts';
import { Transfers } from './transfers.ts';

/** How an exchange ended. */
export type Closed =
  /** The target was met, or the quorum when nobody was left to wait for. */
  | { readonly outcome: 'enough' }
  /** It came to nothing. */
  | { readonly outcome: 'lost'; readonly reason: CoppiceError };

export interface ExchangeListener {
  /** Outcomes changed. */
  changed(): void;
  /** An answer counts; it is not yet on disk. */
  counted(participant: string, answer: Answer): void;
  /** An answer of a member that owed one was refused, the first time in this attempt or `again`. */
  refused(participant: string, error: CoppiceError, again: boolean): void;
  /** No more is taken. Called once, at once; the sum may be read when `drained` resolves. */
  closed(how: Closed): void;
}

export interface ExchangeOptions {
  /** The run and the name that its tickets are made of. */
  readonly run: string;
  readonly name: string;
  /** A phrase for messages, e.g. `round 3`. */
  readonly title: string;
  readonly cohort: readonly string[];
  readonly wanted: Wanted;
  /** `away` after a restart: members have to come back first. */
  readonly begin: 'asked' | 'away';
  readonly bytes: (participant: string) => Bytes;
  /** `clock.elapsed()` when it began, and when its timer ends it. */
  readonly beganAt: number;
  readonly dueAt: number;
  /** Milliseconds that a member may be away. */
  readonly grace: number;
  readonly form: AnswerForm;
  readonly sum: Sum;
  readonly limits: Limits;
  /** The largest weight that counts for a participant. */
  readonly weightCap: (participant: string) => number;
  /** Where answers are kept before they are acknowledged, and pieces on their way. */
  readonly spool: Pick<Spool, 'append' | 'receive'>;
  /** Whether an answer must be on disk before it is acknowledged. */
  readonly durable: boolean;
  readonly clock: Clock;
  readonly listener: ExchangeListener;
}

/** What came of an answer. */
export interface Receipt {
  /** It had counted before. */
  readonly duplicate: boolean;
  /** The piece that is wanted next; `null`: it counts, and is on disk. */
  readonly next: number | null;
}

/**
 * One question to a cohort and the answers to it: validated, summed, spooled, acknowledged, and closed by its target, its
 * quorum or its timer. Moves on calls and on the clock's timers. Each member counts once, however often it answers.
 */
export class Exchange {
  readonly #o: ExchangeOptions;
  readonly cohort: Cohort;
  readonly #transfers: Transfers;
  readonly #grace: Grace;
  #stopTimer: () => void = () => {};
  #timeIsUp = false;
  #deadlineCame = false;
  #closed = false;

  constructor(options: ExchangeOptions) {
    this.#o = options;
    this.cohort = new Cohort(options.cohort, options.wanted, {
      outcome: options.begin,
      bytes: options.bytes,
    });
    this.#transfers = new Transfers(options.spool);
    this.#grace = new Grace(options.clock);
  }

  get name(): string {
    return this.#o.name;
  }

  get beganAt(): number {
    return this.#o.beganAt;
  }

  /** `clock.elapsed()` at the deadline. */
  get dueAt(): number {
    return this.#o.dueAt;
  }

  get sum(): Sum {
    return this.#o.sum;
  }

  /** The largest weight of a member that counts. */
  weightCap(participant: string): number {
    return this.#o.weightCap(participant);
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /**
   * Sums an answer that an earlier process had spooled. Call before `open`.
   *
   * @throws CoppiceError a reason for which it cannot be used; then its sender is asked again.
   */
  async restore(participant: string, answer: Answer): Promise<void> {
    const member = this.#wanted(participant);
    const steps = this.#sum(participant, answer);
    for (let step = steps.next(); ; step = steps.next()) {
      if (step.done === true) return this.#credit(participant, member, answer, step.value);
      await nextTurn();
    }
  }

  /** Starts the timer, and closes at once where there is nothing to wait for. */
  open(): void {
    for (const [id, { outcome }] of this.cohort.entries()) if (outcome === 'away') this.#expect(id);
    this.#stopTimer = this.#o.clock.setTimer(this.#o.dueAt - this.#o.clock.elapsed(), () => {
      this.#timeIsUp = true;
      this.#deadlineCame = true;
      this.#consider();
    });
    this.#consider();
  }

  // ---- answers

  /**
   * Takes an answer. Resolves when it is on disk: only then may it be acknowledged. One whose frame is a header alone is
   * announced, until its pieces are here.
   *
   * @throws CoppiceError a fault of the answer; `update-late` and its kin where none is waited for; `storage-failed` where
   *   it could not be kept.
   */
  async take(participant: string, answer: Answer): Promise<Receipt> {
    // One answer of a member is looked at at a time: its copies wait, and find it counted, or take its place.
    for (let under = this.#taking(participant); under !== null; under = this.#taking(participant))
      await under.catch(() => {});
    const counted = this.#countedBefore(participant);
    if (counted !== null) return counted;
    let member: CohortMember;
    try {
      if (isHeaderAlone(frameBytes(answer.frame))) {
        const next = this.#announced(participant, answer);
        if (next !== null) return { duplicate: false, next };
        // One whole frame is in memory at a time.
        const turn = () => this.#transfers.alone(() => this.#countPieces(participant, answer));
        member = await this.#whileTaking(participant, turn);
      } else member = await this.#countWhole(participant, answer);
    } catch (thrown) {
      const error = CoppiceError.from(thrown);
      this.#refuse(participant, error);
      throw error;
    }
    await member.stored;
    return { duplicate: false, next: null };
  }

  /** Takes a piece of an answer that was announced. @returns the piece that comes next, when it is written. */
  takePiece(participant: string, piece: AnswerPiece): Promise<number> {
    this.#ensureOpen();
    return this.#transfers.take(participant, piece);
  }

  #countWhole(participant: string, answer: Answer): CohortMember | Promise<CohortMember> {
    const bytes = frameBytes(answer.frame).byteLength;
    if (bytes > PIECE_BYTES) throw tooLarge(bytes);
    if (this.#o.form.parameters > STEP_PARAMETERS)
      return this.#whileTaking(participant, () => this.#countInTurns(participant, answer));
    const member = this.#wanted(participant);
    this.#accept(participant, member, answer, finish(this.#sum(participant, answer)));
    return member;
  }

  async #countPieces(participant: string, answer: Answer): Promise<CohortMember> {
    // The exchange may have closed while others had their turn.
    this.#wanted(participant);
    try {
      const frame = await this.#transfers.whole(participant).catch((thrown: unknown) => {
        // Pieces that are not wanted any more are given up, also while they are read.
        this.#wanted(participant);
        throw thrown;
      });
      return await this.#countInTurns(participant, { ...answer, frame });
    } finally {
      this.#transfers.drop(participant);
    }
  }

  /** @returns the piece that comes next; `null` where all are here. */
  #announced(participant: string, answer: Answer): number | null {
    this.#wanted(participant);
    return this.#transfers.announced(
      participant,
      frameBytes(answer.frame),
      this.#o.form.payloadBytes(answer),
    );
  }

  /** Looks at an answer that is here whole: from its beginning on a deadline waits for it. */
  async #whileTaking<T>(participant: string, work: () => Promise<T>): Promise<T> {
    const member = this.#wanted(participant);
    const taking = work();
    member.taking = taking;
    try {
      return await taking;
    } finally {
      member.taking = null;
      this.#consider();
    }
  }

  #taking(participant: string): Promise<unknown> | null {
    return this.cohort.get(participant)?.taking ?? null;
  }

  /** Sums an answer a piece a turn of the event loop. Nothing happens between its last piece and its being counted. */
  async #countInTurns(participant: string, answer: Answer): Promise<CohortMember> {
    const member = this.#wanted(participant);
    const steps = this.#sum(participant, answer);
    for (;;) {
      const step = steps.next();
      if (step.done === true) {
        this.#accept(participant, member, answer, step.value);
        return member;
      }
      await nextTurn();
      if (this.#isWanted(participant)) continue;
      // Takes off the part that was added.
      steps.return(undefined as never);
      this.#wanted(participant);
    }
  }

  *#sum(participant: string, answer: Answer): Steps<Counted> {
    const { form, sum, limits } = this.#o;
    const contribution: Contribution = yield* form.read(answer);
    const weight = Math.min(answer.weight, this.#o.weightCap(participant));
    const added = yield* sum.add(contribution, weight, limits);
    return { weight, ...added, means: ownMeans(contribution.measures) };
  }

  #accept(participant: string, member: CohortMember, answer: Answer, how: Counted): void {
    this.#credit(participant, member, answer, how);
    if (this.#o.durable) this.#keep(participant, answer, member);
    this.#o.listener.changed();
    this.#consider();
  }

  #credit(
    participant: string,
    member: CohortMember,
    answer: Answer,
    { weight, factor, norms, means }: Counted,
  ): void {
    this.#grace.end(participant);
    this.#transfers.drop(participant);
    member.outcome = 'accepted';
    member.milliseconds = this.#o.clock.elapsed() - this.#o.beganAt;
    member.weight = weight;
    member.capped = weight < answer.weight;
    member.factor = factor;
    member.means = means;
    member.norms = norms;
    this.#o.listener.counted(participant, answer);
  }

  /** Writes an answer that counts to disk. */
  #keep(participant: string, answer: Answer, member: CohortMember): void {
    const stored = this.#o.spool.append(this.#o.run, { participant, answer });
    member.stored = stored;
    // A sum that holds what is not on disk must not outlive the failure: the question is asked again.
    stored.catch((thrown: unknown) => this.abort(CoppiceError.from(thrown, 'storage-failed')));
  }

  #refuse(participant: string, error: CoppiceError): void {
    const member = this.cohort.owing(participant);
    // A disk that fails says nothing of the answer.
    if (member === null || this.#closed || error.code === 'storage-failed') return;
    const again = member.refused;
    member.refused = true;
    member.diverged = tellsDivergence(error.code);
    this.#o.listener.refused(participant, error, again);
    // A damaged frame may be sent again; an answer that is wrong in itself will not get better.
    if (error.retry === 'never' || error.code === 'internal') this.out(participant, 'refused');
  }

  // ---- members

  /** A member will not answer. */
  out(participant: string, outcome: 'left' | 'declined' | 'refused', diverged = false): void {
    this.#grace.end(participant);
    this.#transfers.drop(participant);
    const member = this.cohort.owing(participant);
    if (member === null || this.#closed) return;
    member.outcome = outcome;
    member.diverged ||= diverged;
    member.milliseconds = this.#o.clock.elapsed() - this.#o.beganAt;
    this.#o.listener.changed();
    this.#consider();
  }

  /** A connection broke; its owner may come back in time. */
  away(participant: string): void {
    const member = this.cohort.get(participant);
    if (member?.outcome !== 'asked' || this.#closed) return;
    member.outcome = 'away';
    this.#expect(participant);
  }

  back(participant: string): void {
    this.#grace.end(participant);
    const member = this.cohort.get(participant);
    if (member?.outcome === 'away') member.outcome = 'asked';
  }

  #expect(participant: string): void {
    this.#grace.begin(participant, this.#o.grace, () => this.out(participant, 'left'));
  }

  // ---- the end

  /** Ends it with what has come, as its timer would. */
  endNow(): void {
    this.#timeIsUp = true;
    this.#consider();
  }

  /** Ends it for a reason of the coordinator's. */
  abort(reason: CoppiceError): void {
    this.#close({ outcome: 'lost', reason });
  }

  /** Stops timers, and tells nobody. What was spooled stays, for the process after this one. */
  abandon(): void {
    this.#closed = true;
    this.#stop();
  }

  /** Resolves when nothing is being added to the sum any more; call once it is closed. */
  async drained(): Promise<void> {
    for (const [, { taking }] of this.cohort.entries()) await taking?.catch(() => {});
  }

  #consider(): void {
    if (this.#closed) return;
    const verdict = this.cohort.verdict(this.#timeIsUp);
    if (verdict === 'enough') this.#close({ outcome: 'enough' });
    else if (verdict === 'lost')
      this.#close({ outcome: 'lost', reason: this.cohort.lostBecause(this.#timeIsUp) });
  }

  #close(how: Closed): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stop();
    // Members had no whole deadline of one process where the coordinator was restarted.
    this.cohort.settle(this.#o.begin === 'away' ? 'none' : this.#deadlineCame ? 'all' : 'out');
    this.#o.listener.closed(how);
  }

  #stop(): void {
    this.#stopTimer();
    this.#grace.endAll();
    this.#transfers.dropAll();
  }

  // ---- small parts

  #countedBefore(participant: string): Promise<Receipt> | Receipt | null {
    const member = this.cohort.get(participant);
    if (member?.outcome !== 'accepted') return null;
    const receipt = { duplicate: true, next: null };
    return member.stored === null ? receipt : member.stored.then(() => receipt);
  }

  #isWanted(participant: string): boolean {
    const member = this.cohort.get(participant);
    return !this.#closed && member !== undefined && owes(member);
  }

  /** @throws CoppiceError `update-late`, `update-not-selected` */
  #wanted(participant: string): CohortMember {
    this.#ensureOpen();
    const member = this.cohort.get(participant);
    if (member === undefined) {
      throw new CoppiceError(
        'update-not-selected',
        `This participant was not selected for ${this.#o.title}.`,
      );
    }
    if (owes(member)) return member;
    throw new CoppiceError(
      'update-late',
      `This participant has left ${this.#o.title}. The update does not count.`,
    );
  }

  #ensureOpen(): void {
    if (this.#closed) throw this.#late();
  }

  #late(): CoppiceError {
    const { title } = this.#o;
    return new CoppiceError(
      'update-late',
      `${title[0]?.toUpperCase()}${title.slice(1)} has closed. The update does not count; go on with the current model.`,
    );
  }
}

interface Counted extends Added {
  /** The weight that it counts with. */
  readonly weight: number;
  readonly means: OwnMeans;
}

function tooLarge(bytes: number): CoppiceError {
  return new CoppiceError(
    'frame-too-large',
    `The update came whole with ${bytes} bytes; above ${PIECE_BYTES} it is announced by its header of ${FRAME_HEADER_BYTES} bytes and follows in pieces.`,
  );
}
