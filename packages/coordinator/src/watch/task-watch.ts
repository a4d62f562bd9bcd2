import { consentVersion, type ReportTerms } from '@coppice/continuity';
import type { Measures } from '@coppice/federation';
import type { Clock } from '@coppice/ports';
import { type Answer, CoppiceError, frameBytes, isHeaderAlone } from '@coppice/protocol';
import type { Closed, Exchange, Receipt } from '../exchanges/exchange.ts';
import { Tickets } from '../exchanges/tickets.ts';
import type { Admissions } from '../security/admissions.ts';
import { taskPlace } from '../security/places.ts';
import { isSpooledTask, type Spool } from '../storage/spool.ts';
import { type TaskOpening, taskOwner } from '../storage/task-opening.ts';
import { nextPeriod } from './period.ts';
import { reportForm } from './report-form.ts';
import { restoredTaskExchange, taskExchange } from './task-exchange.ts';

/** Milliseconds until storage is tried again that failed. */
export const STORAGE_RETRY = 30_000;

/** A participant's word on the reports that it would make. */
export interface MonitorClaim {
  /** The version of the consent that was given (`consentVersion`). */
  readonly consent: string;
  /** The hash of its data recipe. */
  readonly recipe: string;
}

/** The question of an open period to one participant. */
export interface PeriodQuestion {
  readonly period: number;
  readonly ticket: string;
  /** Milliseconds until the period closes. */
  readonly remaining: number;
  /** The hash of the reference that reports are made with. */
  readonly reference: string;
}

/** A period that is over. */
export interface ClosedPeriod {
  readonly period: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** The number of reports that counted. */
  readonly reports: number;
  /** Their sum by tensor; `null` where there were too few to be looked at. */
  readonly sums: Measures | null;
}

export interface TaskWatchOptions {
  readonly task: string;
  /** What is reported. Its binning is the reference of the release that is watched. */
  readonly terms: ReportTerms;
  /** The fewest reports of a period with which anything is read of their sum. */
  readonly quorum: number;
  /** Milliseconds since 1970 at which period 0 began. */
  readonly epoch: number;
  /** The last period whose end is stored; `null`: none. */
  readonly lastClosed: number | null;
  /** The secret that the task's tickets are made from. */
  readonly secret: string;
  readonly admissions: Pick<Admissions, 'refusal'>;
  readonly spool: Spool;
  readonly clock: Clock;
  /** Sends a period's question. */
  readonly ask: (participant: string, question: PeriodQuestion) => void;
  /** Stores a period that is over. Its reports are erased once this resolves; where it rejects, it is called again. */
  readonly closed: (period: ClosedPeriod) => Promise<void>;
  /** Called for a failure of storage, and for what could not be read of the spool. */
  readonly failed: (error: CoppiceError) => void;
}

interface OpenPeriod {
  readonly opening: TaskOpening;
  readonly exchange: Exchange;
}

/**
 * The periods of one monitored task: one exchange of reports after another, each answered once by any participant that is
 * admitted, consents to what is reported and reports by the task's reference. The coordinator's clock alone decides on
 * periods; a ticket names one.
 */
export class TaskWatch {
  readonly #o: TaskWatchOptions;
  readonly #place: string;
  readonly #owner: string;
  readonly #form: ReturnType<typeof reportForm>;
  readonly #tickets: Tickets;
  /** Participants that are connected and report. */
  readonly #monitors = new Set<string>();
  #open: OpenPeriod | null = null;
  #lastClosed: number | null;
  #stopped = false;
  #stopWaiting: () => void = () => {};
  /** The end of a period, while it is stored. */
  #ending: Promise<void> = Promise.resolve();

  constructor(options: TaskWatchOptions) {
    const { task, terms, secret, lastClosed } = options;
    this.#o = options;
    this.#place = taskPlace(task);
    this.#owner = taskOwner({ task, kind: 'report' });
    this.#form = reportForm(terms.binning, terms.minimum);
    this.#tickets = new Tickets(this.#place, secret);
    this.#lastClosed = lastClosed;
  }

  /** The version of the consent that participants must have given. */
  get consent(): string {
    return consentVersion(this.#o.terms);
  }

  /** Goes on with the period that an earlier process left open, or begins one. @throws CoppiceError `storage-failed` */
  async start(): Promise<void> {
    this.#begin((await this.#restored()) ?? this.#next());
  }

  /** Ends its timers. Reports that were acknowledged stay in the spool, for the next process. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopWaiting();
    this.#open?.exchange.abandon();
    await this.#ending;
  }

  // ---- participants

  /**
   * Takes up a participant that reports, and asks it for the open period unless its report counted.
   *
   * @throws CoppiceError `run-not-admitted`, `participant-banned`, `consent-outdated`, `report-mismatch`
   */
  comes(participant: string, claim: MonitorClaim): void {
    this.#ensureAdmitted(participant);
    const { binning } = this.#o.terms;
    if (claim.consent !== this.consent)
      throw new CoppiceError(
        'consent-outdated',
        `The consent is to other reports than those of the task "${this.#o.task}": what they tell, or how often, has changed. Ask the person again.`,
      );
    if (claim.recipe !== binning.recipe)
      throw new CoppiceError(
        'report-mismatch',
        `The reports would be made with another data recipe than that of the task "${this.#o.task}". Take the current release and count anew.`,
      );
    this.#monitors.add(participant);
    this.#ask(participant);
  }

  /** Forgets a participant whose connection ended; its report may still come. */
  goes(participant: string): void {
    this.#monitors.delete(participant);
  }

  /**
   * Takes a report. Resolves when it is on disk. The first of a participant and period counts.
   *
   * @param unread see `Exchange.take`.
   * @throws CoppiceError a fault of the report; `ticket-invalid`, `update-late`, `frame-too-large`, `run-not-admitted`,
   *   `participant-banned`;
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
        'The period that this report is for is over. The report does not count; wait for the next question.',
      );
    if (isHeaderAlone(frameBytes(answer.frame)))
      throw new CoppiceError(
        'frame-too-large',
        'A report comes whole, in one message: its header alone is no report.',
      );
    // The ticket says that it was asked, be it by a process before this one.
    exchange.admit(participant);
    return exchange.take(participant, answer, unread);
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
      period: opening.period,
      ticket: this.#tickets.issue(exchange.name, participant),
      remaining: Math.max(0, (exchange.dueAt ?? 0) - this.#o.clock.elapsed()),
      reference: this.#form.reference,
    });
  }

  // ---- periods

  /** The next period's exchange; not open yet. */
  #next(): OpenPeriod {
    const { task, terms, epoch, clock, spool } = this.#o;
    const { reference, layout } = this.#form;
    const grid = { epoch, length: terms.periodMilliseconds };
    const period = nextPeriod(clock.now(), grid, this.#lastClosed);
    const opening: TaskOpening = { task, kind: 'report', reference, layout, ...period };
    spool.open(opening);
    return { opening, exchange: taskExchange(opening, this.#exchangeOptions()) };
  }

  /** The period in the spool; `null` where there is none, its end is stored, or its reports are of another reference. */
  async #restored(): Promise<OpenPeriod | null> {
    const { spool, failed } = this.#o;
    try {
      const spooled = await spool.recover(this.#owner);
      if (spooled === null) return null;
      const { opening } = spooled;
      const isOver = 'period' in opening && opening.period <= (this.#lastClosed ?? -1);
      if (isOver || !isSpooledTask(spooled)) {
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
      form: this.#form,
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

  #begin(open: OpenPeriod): void {
    if (this.#stopped) return;
    this.#open = open;
    open.exchange.open();
    for (const participant of this.#monitors)
      if (this.#o.admissions.refusal(participant, this.#place) === null) this.#ask(participant);
  }

  async #end(how: Closed): Promise<void> {
    const open = this.#open;
    if (open === null) return;
    const { opening, exchange } = open;
    await exchange.drained();
    const isReadable = how.outcome === 'enough' || how.reason.code === 'quorum-lost';
    if (isReadable) {
      const { period, startedAt } = opening;
      const sums = how.outcome === 'enough' ? exchange.sum.measures.totals() : null;
      const endedAt = this.#o.clock.now();
      const ended = { period, startedAt, endedAt, reports: exchange.sum.count, sums };
      await this.#untilStored(() => this.#o.closed(ended));
      if (this.#stopped) return;
      this.#lastClosed = period;
      await this.#untilStored(() => this.#o.spool.drop(this.#owner));
      if (!this.#stopped) this.#begin(this.#next());
      return;
    }
    // The sum holds what is not on disk. The spool takes nothing more, and tells what is on disk when the period is over.
    this.#o.failed(how.reason);
    await this.#wait((exchange.dueAt ?? 0) - this.#o.clock.elapsed());
    await this.#untilStored(async () => this.#begin((await this.#restored()) ?? this.#next()));
  }

  async #untilStored(work: () => Promise<void>): Promise<void> {
    while (!this.#stopped) {
      try {
        return await work();
      } catch (thrown) {
        this.#o.failed(CoppiceError.from(thrown, 'storage-failed'));
        await this.#wait();
      }
    }
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
