import { gaussianDeviation, type Measures, noisyTotals } from '@coppice/federation';
import { type Clock, secretRandom } from '@coppice/ports';
import { type Answer, CoppiceError, frameBytes, frameLayout, isHeaderAlone } from '@coppice/protocol';
import type { Closed, Exchange, Receipt } from '../exchanges/exchange.ts';
import { Tickets } from '../exchanges/tickets.ts';
import type { Admissions } from '../security/admissions.ts';
import { taskPlace } from '../security/places.ts';
import type { Spending } from '../storage/reference-storage.ts';
import { isSpooledTask, type Spool } from '../storage/spool.ts';
import { type TaskOpening, taskOwner } from '../storage/task-opening.ts';
import { inTurns, nextTurn } from '../turns.ts';
import type { AnswerTaker } from './answers.ts';
import type { Offers } from './offers.ts';
import type { Period } from './period.ts';
import { restoredTaskExchange, type TaskForm, taskExchange } from './task-exchange.ts';

/** Milliseconds until storage is tried again that failed. */
export const STORAGE_RETRY = 30_000;

/** Participants that are asked in one turn of the event loop: a few milliseconds of work. */
const ASKED_A_TURN = 200;

/** The question of an open exchange to one participant. */
export interface PeriodQuestion {
  readonly kind: TaskOpening['kind'];
  readonly period: number;
  readonly ticket: string;
  /** Milliseconds until the exchange closes. */
  readonly remaining: number;
  /** The hash of the binning or the reference that answers are made with; null for comparisons. */
  readonly reference: string | null;
}

/** An exchange that is over. */
export interface ClosedPeriod {
  readonly period: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** The number of reports that counted. */
  readonly reports: number;
  /** Their sum by tensor, with its noise; `null` where there were too few to be looked at, or the budget had no room. */
  readonly sums: Measures | null;
  /** The variance of the noise in each number of `sums`; 0: there is none. */
  readonly noise: number;
  /** The cost of `sums`; `null`: they cost nothing. */
  readonly spending: Spending | null;
}

export interface TaskWatchOptions {
  readonly task: string;
  readonly kind: TaskOpening['kind'];
  /** The form of its answers. */
  readonly form: TaskForm;
  /** The version of the consent that reports are made under; null where those that a restart finds hold under any. */
  readonly consent: string | null;
  /** The fewest reports with which anything is read of their sum. */
  readonly quorum: number;
  /** The cost of a sum that is read, in ρ of zero-concentrated differential privacy: noise is added by it. `null`: none is. */
  readonly rho: number | null;
  /** Whether the budget still has room for a sum with noise. Asked before one is read: it may have been lowered since the sum's exchange was opened. */
  readonly affords: () => Promise<boolean>;
  /** A secret that cannot be guessed, for the noise of one sum. */
  readonly newSecret: () => string;
  /**
   * The next exchange; `null`: none may be opened. @param lastClosed the number of the last one; `null`: there was none.
   */
  readonly next: (lastClosed: number | null) => Promise<Period | null>;
  /** The last number whose end is stored; `null`: none. */
  readonly lastClosed: number | null;
  /** The secret that the task's tickets are made from. */
  readonly secret: string;
  readonly admissions: Pick<Admissions, 'refusal'>;
  readonly offers: Offers;
  readonly spool: Spool;
  readonly clock: Clock;
  /** Throws a CoppiceError for an answer that its sender cannot have made. */
  readonly ensureOwn?: (participant: string, answer: Answer) => void;
  /** The hashes of the models that its questions name. */
  readonly models: readonly string[];
  /** Sends a question. */
  readonly ask: (participant: string, question: PeriodQuestion) => void;
  /**
   * Stores an exchange that is over. Its reports are erased once this resolves; where it rejects, it is called again.
   * Resolves with whether another one follows.
   */
  readonly closed: (period: ClosedPeriod) => Promise<boolean>;
  /** Called where an earlier process stored the end of an exchange, and was killed before its reports were erased. */
  readonly wasClosed: (period: number) => Promise<void>;
  /** Called for a failure of storage, and for what could not be read of the spool. */
  readonly failed: (error: CoppiceError) => void;
}

interface OpenPeriod {
  readonly opening: TaskOpening;
  readonly exchange: Exchange;
}

/**
 * The exchanges of one kind of a watched task, one after another, each answered once by any participant that is admitted,
 * consents to what is reported and reports by the same bins. The coordinator's clock alone decides on their ends; a ticket
 * names one.
 */
export class TaskWatch implements AnswerTaker {
  readonly #o: TaskWatchOptions;
  readonly #place: string;
  readonly #owner: string;
  readonly #tickets: Tickets;
  #open: OpenPeriod | null = null;
  #lastClosed: number | null;
  #stopped = false;
  #stopWaiting: () => void = () => {};
  #endOffers: () => void = () => {};
  /** The end of a period, while it is stored. */
  #ending: Promise<void> = Promise.resolve();

  constructor(options: TaskWatchOptions) {
    const { task, kind, secret, lastClosed } = options;
    this.#o = options;
    this.#place = taskPlace(task);
    this.#owner = taskOwner({ task, kind });
    this.#tickets = new Tickets(this.#place, secret);
    this.#lastClosed = lastClosed;
  }

  /** Goes on with the exchange that an earlier process left open, or begins one. @throws CoppiceError `storage-failed` */
  async start(): Promise<void> {
    const open = (await this.#restored()) ?? (await this.#next());
    this.#endOffers = this.#o.offers.on(this.#o.task, (participant) => this.#ask(participant));
    this.#begin(open);
  }

  /** Ends its timers. Reports that were acknowledged stay in the spool, for the next process or the next watch. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#endOffers();
    this.#stopWaiting();
    this.#open?.exchange.abandon();
    await this.#open?.exchange.drained();
    await this.#ending;
  }

  // ---- reports

  /**
   * Takes a report. Resolves when it is on disk. The first of a participant and exchange counts.
   *
   * @param unread see `Exchange.take`.
   * @throws CoppiceError a fault of the report; `ticket-invalid`, `update-late`, `frame-too-large`, `report-mismatch`,
   *   `run-not-admitted`, `participant-banned`;
   *   `storage-failed` where it could not be stored.
   */
  async take(participant: string, answer: Answer, unread?: () => void): Promise<Receipt> {
    this.#ensureAdmitted(participant);
    const name = this.#tickets.read(answer.ticket, participant);
    if (name === null)
      throw new CoppiceError(
        'ticket-invalid',
        'The ticket is not one that this task gave to this participant. Echo the ticket of the question, unchanged.',
      );
    const exchange = this.#open?.exchange;
    if (exchange?.name !== name)
      throw new CoppiceError(
        'update-late',
        'The question that this report answers is over. The report does not count; wait for the next one.',
      );
    if (isHeaderAlone(frameBytes(answer.frame)))
      throw new CoppiceError(
        'frame-too-large',
        'A report comes whole, in one message: its header alone is no report.',
      );
    this.#ensureSameBins(answer);
    this.#o.ensureOwn?.(participant, answer);
    // The ticket says that it was asked, be it by a process before this one.
    exchange.admit(participant);
    return exchange.take(participant, answer, unread);
  }

  opens(participant: string, ticket: string, hash: string): boolean {
    const exchange = this.#open?.exchange;
    return (
      exchange !== undefined &&
      !exchange.isClosed &&
      this.#o.models.includes(hash) &&
      this.#tickets.read(ticket, participant) === exchange.name &&
      this.#o.admissions.refusal(participant, this.#place) === null
    );
  }

  /** Before the exchange looks at it: its sender may count anew, and send another one. */
  #ensureSameBins({ frame }: Answer): void {
    const bytes = frameBytes(frame);
    if (Buffer.from(frameLayout(bytes).layoutHash).toString('hex') === this.#o.form.layout) return;
    throw new CoppiceError(
      'report-mismatch',
      `The answer is not laid out as the question of the task "${this.#o.task}" asks: it was made with other bins, or compares other models. It does not count; take what the question names and make it anew.`,
    );
  }

  #ensureAdmitted(participant: string): void {
    const refusal = this.#o.admissions.refusal(participant, this.#place);
    if (refusal !== null) throw refusal;
  }

  #ask(participant: string): void {
    const open = this.#open;
    if (open === null || open.exchange.isClosed) return;
    const { opening, exchange } = open;
    exchange.admit(participant);
    if (exchange.cohort.get(participant)?.outcome !== 'asked') return;
    this.#o.ask(participant, {
      kind: opening.kind,
      period: opening.period,
      ticket: this.#tickets.issue(exchange.name, participant),
      remaining: Math.max(0, (exchange.dueAt ?? 0) - this.#o.clock.elapsed()),
      reference: this.#o.form.reference,
    });
  }

  // ---- exchanges

  /** The next exchange; not open yet. */
  async #next(): Promise<OpenPeriod | null> {
    const { task, kind, consent, models, next, spool, form } = this.#o;
    const { reference, layout } = form;
    const period = await next(this.#lastClosed);
    if (period === null) return null;
    const noise = this.#noise();
    const opening: TaskOpening = {
      task,
      kind,
      reference,
      layout,
      consent,
      models: [...models],
      noise,
      ...period,
    };
    spool.open(opening);
    return { opening, exchange: taskExchange(opening, this.#exchangeOptions()) };
  }

  /** The noise of the next sum. */
  #noise(): TaskOpening['noise'] {
    const { rho, newSecret, form } = this.#o;
    if (rho === null) return null;
    return { seed: newSecret(), rho, variance: gaussianDeviation(form.norm, rho) ** 2 };
  }

  /**
   * The exchange in the spool; `null` where there is none, its end is stored, or its reports are of other bins, about other models
   * or under other terms: these are erased.
   */
  async #restored(): Promise<OpenPeriod | null> {
    const { consent, models, rho, spool, failed, wasClosed } = this.#o;
    try {
      const spooled = await spool.recover(this.#owner);
      if (spooled === null) return null;
      const { opening } = spooled;
      const isOver = 'period' in opening && opening.period <= (this.#lastClosed ?? -1);
      if (isOver) await wasClosed(opening.period);
      const isSame =
        isSpooledTask(spooled) &&
        spooled.opening.consent === consent &&
        (spooled.opening.noise?.rho ?? null) === rho &&
        spooled.opening.reference === this.#o.form.reference &&
        String(spooled.opening.models ?? models) === String(models);
      if (isOver || !isSame) {
        if (!isOver && 'period' in opening) this.#lastClosed = opening.period;
        await spool.drop(this.#owner);
        return null;
      }
      const exchange = await restoredTaskExchange(spooled, this.#exchangeOptions(), failed);
      return { opening: spooled.opening, exchange };
    } catch (thrown) {
      const error = CoppiceError.from(thrown);
      if (error.code !== 'storage-corrupt') throw error;
      failed(error);
      return null;
    }
  }

  #exchangeOptions() {
    const { quorum, spool, clock } = this.#o;
    return {
      form: this.#o.form,
      quorum,
      spool,
      clock,
      listener: {
        changed: () => {},
        counted: () => {},
        refused: () => {},
        closed: (how: Closed) => {
          this.#ending = this.#end(how);
        },
      },
    };
  }

  #begin(open: OpenPeriod | null): void {
    if (this.#stopped) return;
    this.#open = open;
    if (open === null) return;
    open.exchange.open();
    void this.#askAll(open);
  }

  /** Asks all on offer, so many a turn of the event loop: each question has a ticket of its own. */
  async #askAll(open: OpenPeriod): Promise<void> {
    for (const [i, participant] of this.#o.offers.of(this.#o.task).entries()) {
      if (i > 0 && i % ASKED_A_TURN === 0) await nextTurn();
      if (this.#stopped || this.#open !== open) return;
      this.#ask(participant);
    }
  }

  async #end(how: Closed): Promise<void> {
    const open = this.#open;
    if (open === null) return;
    const { opening, exchange } = open;
    await exchange.drained();
    const isReadable = how.outcome === 'enough' || how.reason.code === 'quorum-lost';
    if (isReadable) {
      const { period, startedAt } = opening;
      const sums = how.outcome === 'enough' ? await this.#untilStored(() => this.#sums(open)) : null;
      if (sums === undefined) return;
      const endedAt = this.#o.clock.now();
      const { noise } = opening;
      const ended: ClosedPeriod = {
        period,
        startedAt,
        endedAt,
        reports: exchange.sum.count,
        sums,
        noise: noise?.variance ?? 0,
        spending:
          // With its time: numbers of parts come again where the length of a period, or the clock, is changed.
          noise === null || sums === null
            ? null
            : { exchange: `${exchange.name}-${startedAt}`, at: endedAt, rho: noise.rho },
      };
      const follows = await this.#untilStored(() => this.#o.closed(ended));
      if (this.#stopped) return;
      this.#lastClosed = period;
      await this.#untilStored(() => this.#o.spool.drop(this.#owner));
      if (follows === true) await this.#untilStored(async () => this.#begin(await this.#next()));
      return;
    }
    // The sum holds what is not on disk. The spool takes nothing more, and tells what is on disk when the period is over.
    this.#o.failed(how.reason);
    await this.#wait((exchange.dueAt ?? 0) - this.#o.clock.elapsed());
    await this.#untilStored(async () => this.#begin((await this.#restored()) ?? (await this.#next())));
  }

  /** The sums as they are looked at: after a crash their noise is the same. `null` where the budget has no room for them. */
  async #sums({ opening: { noise }, exchange }: OpenPeriod): Promise<Measures | null> {
    if (noise !== null && !(await this.#o.affords())) return null;
    const totals = exchange.sum.measures.totals();
    await nextTurn();
    if (noise === null) return totals;
    return inTurns(noisyTotals(totals, this.#o.form.tensors, noise.variance, secretRandom(noise.seed)));
  }

  /** @returns `undefined` where it was stopped before. */
  async #untilStored<T>(work: () => Promise<T>): Promise<T | undefined> {
    while (!this.#stopped) {
      try {
        return await work();
      } catch (thrown) {
        this.#o.failed(CoppiceError.from(thrown, 'storage-failed'));
        await this.#wait();
      }
    }
    return undefined;
  }

  #wait(atLeast = 0): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#o.clock.setTimer(Math.max(STORAGE_RETRY, atLeast), resolve);
      this.#stopWaiting = () => {
        cancel();
        resolve();
      };
    });
  }
}
