import type { Limits, PartialContributions, Sum } from '@coppice/federation';
import type { Clock } from '@coppice/ports';
import { type Answer, type AnswerPiece, CoppiceError, frameBytes, isHeaderAlone } from '@coppice/protocol';
import type { Bytes } from '../rounds/audience.ts';
import type { Spool } from '../storage/spool.ts';
import type { AnswerForm } from './answer-form.ts';
import { Cohort, type CohortMember, tellsDivergence, type Wanted } from './cohort.ts';
import { Gate } from './gate.ts';
import { Grace } from './grace.ts';
import { Reception } from './reception.ts';
import { type Counted, Tally } from './tally.ts';

/** The way in which an exchange ended. */
export type Closed =
  /** The target was met, or the quorum when no other answer was expected. */
  | { readonly outcome: 'enough' }
  /** The exchange failed. */
  | { readonly outcome: 'lost'; readonly reason: CoppiceError };

export interface ExchangeListener {
  /** Outcomes changed. */
  changed(): void;
  /** An answer counts; it is not yet on disk. */
  counted(participant: string, answer: Answer): void;
  /** An answer of a member that owed one was refused, the first time in this attempt or `again`. */
  refused(participant: string, error: CoppiceError, again: boolean): void;
  /** The exchange is closed to answers. Called synchronously and once; the sum may be read when `drained` resolves. */
  closed(how: Closed): void;
}

export interface ExchangeOptions {
  /** The run, or another owner such as a task, under which its answers are spooled. */
  readonly owner: string;
  /** The name in its tickets. */
  readonly name: string;
  /** A phrase for messages, e.g. `round 3`. */
  readonly title: string;
  /** The participants to ask; `anyone`: those that `admit` adds, while it is open. */
  readonly cohort: readonly string[] | 'anyone';
  readonly wanted: Wanted;
  /** `away` after a restart: members must reconnect first. */
  readonly begin: 'asked' | 'away';
  readonly bytes: (participant: string) => Bytes;
  /** `clock.elapsed()` when it began. */
  readonly beganAt: number;
  /** `clock.elapsed()` when its timer ends it; `null`: it stays open until its target is met, or it is ended. */
  readonly dueAt: number | null;
  /** Milliseconds for which a member may be disconnected. */
  readonly grace: number;
  readonly form: AnswerForm;
  readonly sum: Sum;
  readonly limits: Limits;
  /** The largest weight that counts for a participant. */
  readonly weightCap: (participant: string) => number;
  /** The most examples held out that count for a participant; left out, as many as its weight may be. */
  readonly heldCap?: (participant: string) => number;
  /** The spool of answers before their acknowledgement, and of incoming pieces. */
  readonly spool: Pick<Spool, 'append' | 'receive'>;
  /** True where an answer must be on disk before it is acknowledged. */
  readonly durable: boolean;
  readonly clock: Clock;
  readonly listener: ExchangeListener;
}

/** The outcome of an accepted answer. */
export interface Receipt {
  /** True where an earlier answer of the member counted. */
  readonly duplicate: boolean;
  /** The piece that is wanted next; `null`: the answer counts, and is on disk. */
  readonly next: number | null;
}

/**
 * One question to a cohort, or to anyone, and the answers to it: validated, summed, spooled, acknowledged, and closed
 * by its target, its quorum or its timer. Driven by calls and by the clock's timers. Each member counts once, however
 * often it answers.
 */
export class Exchange {
  readonly #o: ExchangeOptions;
  readonly cohort: Cohort;
  readonly #gate: Gate;
  readonly #tally: Tally;
  readonly #reception: Reception;
  readonly #grace: Grace;
  #stopTimer: () => void = () => {};
  #timeIsUp = false;
  #deadlineCame = false;

  constructor(options: ExchangeOptions) {
    const { cohort, wanted, begin, title, bytes, clock, spool, form } = options;
    this.#o = options;
    this.cohort = new Cohort(cohort, wanted, { outcome: begin, bytes });
    this.#gate = new Gate(this.cohort, title);
    this.#tally = new Tally(options);
    this.#reception = new Reception({
      cohort: this.cohort,
      gate: this.#gate,
      tally: this.#tally,
      form,
      spool,
      counted: (participant, member, answer, how) => this.#accept(participant, member, answer, how),
      lookedAt: () => this.#consider(),
    });
    this.#grace = new Grace(clock);
  }

  get name(): string {
    return this.#o.name;
  }

  get beganAt(): number {
    return this.#o.beganAt;
  }

  /** `clock.elapsed()` at the deadline; `null`: there is none. */
  get dueAt(): number | null {
    return this.#o.dueAt;
  }

  get sum(): Sum {
    return this.#tally.sum;
  }

  /** The largest weight of a member that counts. */
  weightCap(participant: string): number {
    return this.#tally.weightCap(participant);
  }

  /** The most examples held out of a member that count. */
  heldCap(participant: string): number {
    return (this.#o.heldCap ?? this.#o.weightCap)(participant);
  }

  get isClosed(): boolean {
    return this.#gate.isClosed;
  }

  /**
   * Sums an answer that an earlier process spooled. Call before `open`.
   *
   * @throws CoppiceError the fault of an unusable answer; its sender is then asked again.
   */
  async restore(participant: string, answer: Answer): Promise<void> {
    this.cohort.admit(participant);
    const member = this.#gate.wanted(participant);
    await this.#tally.addInTurns(
      participant,
      answer,
      () => true,
      (how) => this.#credit(participant, member, answer, how),
    );
  }

  /** Starts the timer, and closes at once where no answer is expected. */
  open(): void {
    for (const [id, { outcome }] of this.cohort.entries()) if (outcome === 'away') this.#expect(id);
    const { clock, dueAt } = this.#o;
    if (dueAt !== null) {
      this.#stopTimer = clock.setTimer(dueAt - clock.elapsed(), () => {
        this.#timeIsUp = true;
        this.#deadlineCame = true;
        this.#consider();
      });
    }
    this.#consider();
  }

  /**
   * Makes a participant a member of an exchange with `anyone`; an existing member stays unchanged.
   *
   * @throws CoppiceError `update-late` once it is closed, `update-not-selected` where its cohort was chosen.
   */
  admit(participant: string): void {
    this.#gate.ensureOpen();
    this.cohort.admit(participant);
    if (!this.cohort.has(participant)) this.#gate.wanted(participant);
  }

  // ---- answers

  /**
   * Takes an answer. Resolves when it is on disk: only then may it be acknowledged. An answer whose frame is a header
   * alone is announced, and counts when its pieces have arrived.
   *
   * A whole answer that comes while another of its member is being looked at is not read: it is answered as that one, and
   * where that does not count, may be sent again. Memory holds one whole answer a member.
   *
   * @param unread called where the bytes of the answer are not needed any more, though its reply is still to come.
   * @throws CoppiceError a fault of the answer; `update-late` and its kin where none is expected; `storage-failed`
   *   where it could not be stored.
   */
  async take(participant: string, answer: Answer, unread: () => void = () => {}): Promise<Receipt> {
    const isWhole = !isHeaderAlone(frameBytes(answer.frame));
    for (let under = this.#reception.lookingAt(participant); under !== null; ) {
      if (isWhole) {
        unread();
        await (await under).stored;
        return { duplicate: true, next: null };
      }
      // The pieces are here already; it finds the other one counted, or takes its place.
      await under.catch(() => {});
      under = this.#reception.lookingAt(participant);
    }
    const before = this.cohort.get(participant);
    if (before?.outcome === 'accepted') {
      if (isWhole) unread();
      await before.stored;
      return { duplicate: true, next: null };
    }
    let taken: number | CohortMember;
    try {
      const taking = this.#reception.take(participant, answer);
      // Not awaited where it is in the sum already: what comes next must find it there.
      taken = taking instanceof Promise ? await taking : taking;
    } catch (thrown) {
      const error = CoppiceError.from(thrown);
      this.#refuse(participant, error);
      throw error;
    }
    if (typeof taken === 'number') return { duplicate: false, next: taken };
    await taken.stored;
    return { duplicate: false, next: null };
  }

  /**
   * Takes a piece of an announced answer.
   *
   * @param unread as in `take`.
   * @returns the piece that is wanted next, once this one is written.
   */
  async takePiece(participant: string, piece: AnswerPiece, unread: () => void = () => {}): Promise<number> {
    return this.#reception.takePiece(participant, piece, unread);
  }

  /** Copies the sum of the counted answers, also while it is open; `null` where the sum keeps no partial sums. */
  partial(): Promise<PartialContributions | null> {
    return this.#tally.partial();
  }

  #accept(participant: string, member: CohortMember, answer: Answer, how: Counted): void {
    this.#credit(participant, member, answer, how);
    if (this.#o.durable) this.#keep(participant, answer, member);
    this.#o.listener.changed();
    this.#consider();
  }

  #credit(participant: string, member: CohortMember, answer: Answer, how: Counted): void {
    this.#grace.end(participant);
    this.#reception.drop(participant);
    Object.assign(member, how);
    member.outcome = 'accepted';
    member.milliseconds = this.#o.clock.elapsed() - this.#o.beganAt;
    this.#o.listener.counted(participant, answer);
  }

  /** Spools a counted answer. */
  #keep(participant: string, answer: Answer, member: CohortMember): void {
    const stored = this.#o.spool.append(this.#o.owner, { participant, answer });
    member.stored = stored;
    // A sum that holds what is not on disk must not outlive the failure: the question is asked again.
    stored.catch((thrown: unknown) => this.abort(CoppiceError.from(thrown, 'storage-failed')));
  }

  #refuse(participant: string, error: CoppiceError): void {
    const member = this.cohort.owing(participant);
    // A disk that fails says nothing of the answer.
    if (member === null || this.isClosed || error.code === 'storage-failed') return;
    const again = member.refused;
    member.refused = true;
    member.diverged = tellsDivergence(error.code);
    this.#o.listener.refused(participant, error, again);
    // A damaged frame may be sent again; an answer that is wrong in itself will not get better.
    if (error.retry === 'never' || error.code === 'internal') this.out(participant, 'refused');
  }

  // ---- members

  /** Records that a member will not answer. */
  out(participant: string, outcome: 'left' | 'declined' | 'refused', diverged = false): void {
    this.#grace.end(participant);
    this.#reception.drop(participant);
    const member = this.cohort.owing(participant);
    if (member === null || this.isClosed) return;
    member.outcome = outcome;
    member.diverged ||= diverged;
    member.milliseconds = this.#o.clock.elapsed() - this.#o.beganAt;
    this.#o.listener.changed();
    this.#consider();
  }

  /** Records a broken connection; the member may reconnect in time. */
  away(participant: string): void {
    const member = this.cohort.get(participant);
    if (member?.outcome !== 'asked' || this.isClosed) return;
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

  /** Closes it with the present answers, as its timer would. */
  endNow(): void {
    this.#timeIsUp = true;
    this.#consider();
  }

  /** Closes it for a reason of the coordinator's own. */
  abort(reason: CoppiceError): void {
    this.#close({ outcome: 'lost', reason });
  }

  /** Stops its timers without a notification. Spooled answers stay, for the next process. */
  abandon(): void {
    this.#gate.close();
    this.#stop();
  }

  /** Resolves when no addition to the sum is pending. Call once it is closed. */
  async drained(): Promise<void> {
    for (const [, { taking }] of this.cohort.entries()) await taking?.catch(() => {});
  }

  #consider(): void {
    if (this.isClosed) return;
    const verdict = this.cohort.verdict(this.#timeIsUp);
    if (verdict === 'enough') this.#close({ outcome: 'enough' });
    else if (verdict === 'lost')
      this.#close({ outcome: 'lost', reason: this.cohort.lostBecause(this.#timeIsUp) });
  }

  #close(how: Closed): void {
    if (this.isClosed) return;
    this.#gate.close();
    this.#stop();
    // Members had no whole deadline of one process where the coordinator was restarted.
    this.cohort.settle(this.#o.begin === 'away' ? 'none' : this.#deadlineCame ? 'all' : 'out');
    this.#o.listener.closed(how);
  }

  #stop(): void {
    this.#stopTimer();
    this.#grace.endAll();
    this.#reception.dropAll();
  }
}
