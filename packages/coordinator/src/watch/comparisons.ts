import { comparisonEvidence, type GateEvidence, type Policy } from '@coppice/continuity';
import type { Clock } from '@coppice/ports';
import type { CheckpointId, CoppiceError } from '@coppice/protocol';
import type { Tasks } from '../registry/tasks.ts';
import type { Audience } from '../rounds/audience.ts';
import type { Admissions } from '../security/admissions.ts';
import type { ReferenceStorage, Spending } from '../storage/reference-storage.ts';
import type { Spool } from '../storage/spool.ts';
import { taskOwner } from '../storage/task-opening.ts';
import type { TaskAnswers } from './answers.ts';
import { comparisonForm } from './comparison-form.ts';
import type { Offers } from './offers.ts';
import { affordsExchange } from './privacy-budget.ts';
import { TaskWatch } from './task-watch.ts';

export interface ComparisonsOptions {
  readonly tasks: Pick<Tasks, 'get'>;
  readonly offers: Offers;
  readonly answers: Pick<TaskAnswers, 'register'>;
  readonly admissions: Pick<Admissions, 'refusal'>;
  readonly audience: Pick<Audience, 'send'>;
  readonly spool: Spool;
  readonly clock: Clock;
  /** The costs of what was read of a task's sums. */
  readonly ledger: Pick<ReferenceStorage, 'spentRho'>;
  /** The secret that a task's tickets are made from. */
  readonly secretOf: (task: string) => Promise<string>;
  readonly newSecret: () => string;
  /** Called for a failure of storage, and for what could not be read of the spool. */
  readonly failed: (task: string, error: CoppiceError) => void;
}

/** One of two models. */
interface Model {
  readonly checkpoint: CheckpointId;
  /** The hash of its weights. */
  readonly hash: string;
}

export interface AskedComparison {
  readonly task: string;
  /** Grows over the task's comparisons. */
  readonly number: number;
  readonly production: Model;
  readonly candidate: Model;
  /** Examples from then on are the recent ones, milliseconds since 1970; null: all are. */
  readonly since: number | null;
  /** False: recent examples alone are compared. */
  readonly older: boolean;
  /** The noise on the sums, and the task's budget; null: none. */
  readonly privacy: Policy['privacy'];
  /** How long answers are taken. */
  readonly milliseconds: number;
  /** Participants below which nothing is told of their answers. */
  readonly fewest: number;
}

/** The sums of a comparison, as a gate takes them. */
export interface ComparisonSums {
  readonly participants: number;
  readonly evidence: Omit<GateEvidence, 'candidate'>;
  /** The cost of the sums, to be stored with what follows from them; null: they cost nothing. */
  readonly spending: Spending | null;
}

/** A comparison of a process. */
interface OpenComparison {
  readonly number: number;
  readonly watch: TaskWatch;
  readonly end: () => void;
  /** Lets it end: its answers are erased, unless its watch was stopped before. */
  readonly settle: () => void;
}

/** Comparisons of two models on examples that participants hold out, at most one open for each task. */
export class Comparisons {
  readonly #o: ComparisonsOptions;
  readonly #open = new Map<string, OpenComparison>();
  #stopped = false;

  constructor(options: ComparisonsOptions) {
    this.#o = options;
  }

  /**
   * Erases what an earlier process left of comparisons that are over, or that nothing asks for any more. Call before any begins.
   *
   * @param tasks those whose comparison does not go on.
   * @throws CoppiceError `storage-failed`
   */
  async erase(tasks: Iterable<string>): Promise<void> {
    for (const task of tasks) await this.#o.spool.drop(taskOwner({ task, kind: 'compare' }));
  }

  /**
   * Asks all participants that offered answers, and those that come, to compare two models. A comparison with the same number that
   * an earlier process left open goes on, with the answers that were acknowledged and the same noise. Answers are erased once
   * `settled` is called.
   *
   * @returns the sums once its time is over; `null` where fewer answered than asked for; `budget-spent` where the budget has no room
   *   for another comparison: nobody was asked. Where the coordinator is stopped before, or another one of the task begins, it never
   *   resolves.
   * @throws CoppiceError `task-unknown`; `storage-failed` where the spool cannot be read.
   */
  async compare(asked: AskedComparison): Promise<ComparisonSums | 'budget-spent' | null> {
    const { offers, answers, admissions, audience, spool, clock, secretOf, newSecret, failed, tasks } =
      this.#o;
    const { task, number, production, candidate, since, older, privacy, milliseconds, fewest } = asked;
    const compared = { production: production.hash, candidate: candidate.hash, number, older };
    const form = comparisonForm(tasks.get(task), compared);
    const secret = await secretOf(task);
    // Of two that begin at once, the later one ends the other.
    while (this.#open.has(task)) await this.#end(task);
    if (this.#stopped) return new Promise(() => {});
    const { promise, resolve } = Promise.withResolvers<ComparisonSums | 'budget-spent' | null>();
    const { promise: settled, resolve: settle } = Promise.withResolvers<void>();
    const watch = new TaskWatch({
      task,
      kind: 'compare',
      form,
      consent: null,
      quorum: fewest,
      rho: privacy?.rho ?? null,
      affords: () => affordsExchange(this.#o.ledger, task, { privacy, isCompared: false }),
      newSecret,
      // Of earlier numbers nothing is taken up.
      lastClosed: number - 1,
      next: async () => {
        if (!(await this.affords(task, privacy))) {
          resolve('budget-spent');
          return null;
        }
        const now = clock.now();
        return { period: number, startedAt: now, deadlineAt: now + milliseconds };
      },
      secret,
      admissions,
      offers,
      spool,
      clock,
      models: [production.hash, candidate.hash],
      ask: (participant, question) =>
        audience.send([participant], 'ask', {
          task,
          ...question,
          models: [
            { role: 'production', ...production },
            { role: 'candidate', ...candidate },
          ],
          since,
          ...(older ? {} : { older }),
        }),
      closed: async ({ reports, sums, noise, spending }) => {
        const evidence = sums === null ? null : comparisonEvidence(sums, reports, noise);
        resolve(evidence === null ? null : { participants: reports, evidence, spending });
        await settled;
        return false;
      },
      wasClosed: async () => {},
      failed: (error) => failed(task, error),
    });
    const end = answers.register(task, 'compare', watch);
    this.#open.set(task, { number, watch, end, settle });
    await watch.start();
    return promise;
  }

  /** True where the budget of a task has room for another comparison. @throws CoppiceError `storage-failed` */
  affords(task: string, privacy: Policy['privacy']): Promise<boolean> {
    return affordsExchange(this.#o.ledger, task, { privacy, isCompared: true });
  }

  /** Lets a comparison end whose result is stored, or not asked for any more: its answers are erased. */
  settled(task: string, number: number): void {
    const open = this.#open.get(task);
    if (open?.number === number) open.settle();
  }

  /** Ends all timers. Answers that were acknowledged stay in the spool, for the next process. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#open.keys()].map((task) => this.#end(task)));
  }

  async #end(task: string): Promise<void> {
    const open = this.#open.get(task);
    this.#open.delete(task);
    if (open === undefined) return;
    open.end();
    const stopped = open.watch.stop();
    // Stopped first: its answers stay in the spool.
    open.settle();
    await stopped;
  }
}
