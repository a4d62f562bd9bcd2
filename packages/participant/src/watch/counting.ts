import { Monitor, type MonitorState, readMonitorState, summarise, withReturned } from '@coppice/continuity';
import { CoppiceError, parseSafely, type ReleaseNews, recipeHash } from '@coppice/protocol';
import { KEPT_FORM, type KeptMonitor } from './kept-monitors.ts';
import { type ObservedPrediction, observationOf } from './observation.ts';
import { type WatchedTask, WatchedTaskSchema } from './task-source.ts';
import { type WatchTerms, WatchTermsSchema } from './terms.ts';

/**
 * The counts of one device's predictions against one reference, from one report to the next. What a report tells is counted in
 * no other one: it is put aside when it is sent, and comes back only where the coordinator refused it.
 */
export class Counting {
  readonly task: WatchedTask;
  readonly terms: WatchTerms;
  #monitor: Monitor;
  #sent: MonitorState | null;
  /** The hash of the canary that this device predicts with; `null`: it does not. */
  #canary: string | null;

  /** @param kept what was counted before for the same reference. */
  constructor(
    task: WatchedTask,
    terms: WatchTerms,
    kept: { readonly monitor: MonitorState | null; readonly sent: MonitorState | null } = {
      monitor: null,
      sent: null,
    },
  ) {
    this.task = task;
    this.terms = terms;
    this.#monitor = new Monitor(terms.binning, terms.identity, kept.monitor);
    this.#sent = kept.sent;
    const { guard = null } = kept.monitor ?? {};
    this.#canary = guard?.arm === 'canary' ? guard.model : null;
  }

  /** Reads what a device kept of a task; `null` where it cannot be used: counting begins anew then. */
  static read(stored: unknown, id: string): Counting | null {
    const { form, monitor, sent, ...of } = (stored ?? {}) as { [field in keyof KeptMonitor]?: unknown };
    if (form !== KEPT_FORM) return null;
    const [task, terms] = [parseSafely(WatchedTaskSchema, of.task), parseSafely(WatchTermsSchema, of.terms)];
    if (!task.success || !terms.success || task.data.id !== id) return null;
    const { binning, identity } = terms.data;
    if (binning.recipe !== recipeHash(task.data.data)) return null;
    const counts = readMonitorState(monitor, binning, identity);
    if (counts === null) return null;
    return new Counting(task.data, terms.data, {
      monitor: counts,
      sent: readMonitorState(sent, binning, identity),
    });
  }

  /** Predictions since the last report, and outcomes that came since. */
  get counted(): { readonly observations: number; readonly labelled: number } {
    return this.#monitor.counted;
  }

  /**
   * Takes the releases that the channels of the task name: with an arm of a canary, errors of predictions that the arm's
   * model made are counted by it.
   */
  released({ production, canary }: Pick<ReleaseNews, 'production' | 'canary'>): void {
    const arm = canary?.arm === 'canary' || canary?.arm === 'control' ? canary.arm : null;
    const model = arm === 'canary' ? canary?.hash : production?.hash;
    this.#canary = arm === 'canary' ? (canary?.hash ?? null) : null;
    this.#monitor.guard(
      arm === null || canary === null || model === undefined ? null : { canary: canary.sequence, arm, model },
    );
  }

  /**
   * Counts a prediction. @returns false where there was nothing to count: another model made it than the
   * release that is watched or, in its canary's arm, the canary; or it gave no finite numbers.
   * @throws CoppiceError `data-invalid`
   */
  observe(prediction: ObservedPrediction): boolean {
    const { hash } = prediction;
    const observation = observationOf(prediction, this.task.data);
    if (observation === null || (hash !== this.terms.release && hash !== this.#canary)) return false;
    const { columns } = this.terms.binning;
    if (observation.columns.length !== columns.length)
      throw new CoppiceError(
        'data-invalid',
        `A prediction has ${columns.length} columns to be watched, not ${observation.columns.length}: the features of a picture belong to it. It is not counted.`,
      );
    this.#monitor.observe({ ...observation, model: hash, foreign: hash !== this.terms.release });
    return true;
  }

  /**
   * Counts the outcome of an earlier prediction, once.
   *
   * @returns false where no prediction awaits it.
   * @throws CoppiceError `data-invalid`
   */
  outcome(id: string, label: number): boolean {
    const known = this.#monitor.awaits(id);
    try {
      this.#monitor.outcome(id, label);
    } catch (cause) {
      throw new CoppiceError(
        'data-invalid',
        `The outcome ${label} is none of this task: it takes the index of a class, or a number. It is not counted.`,
        { cause },
      );
    }
    return known;
  }

  /**
   * The numbers of a period's report; the same ones again where it was sent and nothing came back. Counting begins anew with
   * it. A report of an earlier period that nothing came back for is taken as counted: the coordinator asks again for those
   * that are missing, and no prediction may be in two reports.
   *
   * @returns `null` where there are too few observations, and where the period's report counted.
   */
  report(period: number): Float32Array | null {
    if (this.#sent !== null && this.#monitor.state().period !== period) this.#sent = null;
    if (this.#sent === null) {
      const state = this.#monitor.state();
      if (state.period === period || this.#numbers(state) === null) return null;
      // The ids of predictions are of no use in it.
      this.#sent = { ...state, pending: [] };
      this.#monitor.begin(period);
    }
    return this.#numbers(this.#sent);
  }

  /** Forgets what was reported. */
  acknowledged(): void {
    this.#sent = null;
  }

  /** Counts what was refused for the next report. */
  refused(): void {
    if (this.#sent === null) return;
    const { binning, identity } = this.terms;
    this.#monitor = new Monitor(binning, identity, withReturned(this.#monitor.state(), this.#sent));
    this.#sent = null;
  }

  /** All of it, as JSON. */
  kept(): KeptMonitor {
    return {
      form: KEPT_FORM,
      task: this.task,
      terms: this.terms,
      monitor: this.#monitor.state(),
      sent: this.#sent,
    };
  }

  #numbers(state: MonitorState): Float32Array | null {
    return summarise(state, this.terms.binning, this.terms.minimum);
  }
}
