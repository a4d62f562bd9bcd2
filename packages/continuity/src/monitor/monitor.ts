import { Adwin } from '../detectors/adwin.ts';
import { PageHinkley } from '../detectors/page-hinkley.ts';
import {
  type Binning,
  binOf,
  type ColumnBins,
  columnBin,
  type Groups,
  groupsIn,
  isOutside,
  type PredictionBins,
  predictionBin,
  watchedOf,
} from '../reference/binning.ts';
import { MAX_ID, MAX_PENDING, type MonitorState } from './state.ts';

/** A prediction that awaits its outcome. */
interface Pending {
  readonly id: string;
  readonly prediction: number;
  /** True where the guard counts its error. */
  guarded: boolean;
  /** True where nothing else does. */
  readonly foreign: boolean;
  /** Undefined where the task declares no groups. */
  readonly group: number | undefined;
}

/** One prediction, as it was made. */
export interface Observation {
  /** Raw values in the order of the columns. A value that is not finite is missing. */
  readonly columns: ArrayLike<number>;
  /** The index of the class, or the number in the target's unit. */
  readonly prediction: number;
  /** In [0, 1]; left out where the model gives none. */
  readonly confidence?: number;
  /** Names the prediction where its outcome may come later. At most 64 characters. */
  readonly id?: string;
  /** The hash of the model that predicted: the guard of a canary counts no other than its arm's. */
  readonly model?: string;
  /**
   * True where another model predicted than the one that the reference is of, as in a canary: of such a prediction its input
   * counts, and for the guard its error; what the model makes of the input does not.
   */
  readonly foreign?: boolean;
}

/** The arm of a device in a canary. */
export type GuardedArm = Pick<NonNullable<MonitorState['guard']>, 'canary' | 'arm' | 'model'>;

/**
 * Watches the predictions of one model on one device: histograms of a period against a reference's bins, and the stream of
 * errors. Work and memory do not grow with the predictions made.
 *
 * @example
 * const monitor = new Monitor(reference, identityOf(reference));
 * monitor.observe({ columns: [0.4, 0.2], prediction: 7, confidence: 0.9, id: 'a' });
 * monitor.outcome('a', 1); // wrong: one error of one outcome
 */
export class Monitor {
  readonly #binning: Binning;
  readonly #identity: string;
  readonly #adwin: Adwin;
  readonly #pageHinkley: PageHinkley;
  readonly #pending: Map<string, Pending>;
  /** Those of `#pending` in their order, from `#first` on, and some that are no longer among them: a map finds its oldest one slowly. */
  #queue: Pending[];
  #first = 0;
  readonly #counts: Float64Array[];
  readonly #missing: Float64Array;
  readonly #outside: Float64Array;
  readonly #groups: Groups | null;
  readonly #groupsLabelled: Float64Array;
  readonly #groupsErrors: Float64Array;
  #period: number | null = null;
  #observations = 0;
  #foreign = 0;
  #labelled = 0;
  #errors = 0;
  #unmatched = 0;
  #warned = false;
  #guard: MonitorState['guard'] = null;
  #warnings: MonitorState['warnings'] = {
    adwin: { count: 0, last: null },
    pageHinkley: { count: 0, last: null },
  };

  /**
   * @param identity the reference's hash (`identityOf`).
   * @param state one that was read for the same reference (`readMonitorState`); left out or `null`, counting begins anew.
   */
  constructor(binning: Binning, identity: string, state: MonitorState | null = null) {
    this.#binning = binning;
    this.#identity = identity;
    this.#adwin = new Adwin({}, state?.adwin);
    this.#pageHinkley = new PageHinkley({ mode: 'up' }, state?.pageHinkley);
    this.#pending = new Map(
      state?.pending.map(([id, prediction, guarded, foreign, group]) => [
        id,
        { id, prediction, guarded, foreign, group },
      ]),
    );
    this.#queue = [...this.#pending.values()];
    this.#counts = watchedOf(binning).map(({ bins }, i) =>
      state === null ? new Float64Array(bins) : Float64Array.from(state.counts[i] as number[]),
    );
    const inputs = binning.columns.length;
    this.#missing = Float64Array.from(state?.missing ?? new Array<number>(inputs).fill(0));
    this.#outside = Float64Array.from(state?.outside ?? new Array<number>(inputs).fill(0));
    this.#groups = groupsIn(binning);
    const groups =
      state?.groups ?? Array.from({ length: this.#groups?.count ?? 0 }, () => ({ labelled: 0, errors: 0 }));
    this.#groupsLabelled = Float64Array.from(groups, ({ labelled }) => labelled);
    this.#groupsErrors = Float64Array.from(groups, ({ errors }) => errors);
    if (state === null) return;
    this.#period = state.period;
    this.#observations = state.observations;
    this.#foreign = state.foreign;
    this.#labelled = state.labelled;
    this.#errors = state.errors;
    this.#unmatched = state.unmatched;
    this.#warned = state.warned;
    this.#warnings = state.warnings;
    this.#guard = state.guard;
  }

  /**
   * Begins a period: counts of the one before are cleared. Detectors, their warnings, the guard and predictions that await
   * their outcome stay. The period that counts belong to already changes nothing.
   *
   * @param period its number, as the coordinator gave it.
   */
  begin(period: number): void {
    if (period === this.#period) return;
    this.#period = period;
    this.#observations = 0;
    this.#foreign = 0;
    for (const counts of this.#counts) counts.fill(0);
    this.#missing.fill(0);
    this.#outside.fill(0);
    this.#groupsLabelled.fill(0);
    this.#groupsErrors.fill(0);
    this.#labelled = 0;
    this.#errors = 0;
    this.#unmatched = 0;
    this.#warned = false;
  }

  /**
   * Takes this device's arm of a canary. From then on the errors of predictions that the arm's model makes are counted by it,
   * until another arm is taken. The same arm again changes nothing.
   *
   * @param arm `null`: this device has none, or the canary is over.
   */
  guard(arm: GuardedArm | null): void {
    const now = this.#guard;
    const isSame =
      arm === null
        ? now === null
        : now?.canary === arm.canary && now.arm === arm.arm && now.model === arm.model;
    if (isSame) return;
    // Predictions from before belong to no arm of this one.
    for (const one of this.#pending.values()) one.guarded = false;
    this.#guard =
      arm === null ? null : { canary: arm.canary, arm: arm.arm, model: arm.model, labelled: 0, errors: 0 };
  }

  /** @throws RangeError for a prediction of another task: other columns, a class that there is not, a confidence beyond [0, 1]. */
  observe({ columns, prediction, confidence, id, model, foreign = false }: Observation): void {
    const { columns: inputs, prediction: output, confidence: sure } = this.#binning;
    if (columns.length !== inputs.length)
      throw new RangeError(`a prediction has ${inputs.length} columns, not ${columns.length}`);
    const predicted = predictionBin(output, prediction);
    if (sure !== null && !(confidence !== undefined && confidence >= 0 && confidence <= 1))
      throw new RangeError(`a confidence is between 0 and 1, not ${confidence}`);
    if (id !== undefined && (id === '' || id.length > MAX_ID))
      throw new RangeError(`an id has 1 to ${MAX_ID} characters, not ${id.length}`);
    this.#observations++;
    if (foreign) this.#foreign++;
    for (let i = 0; i < inputs.length; i++) {
      const column = inputs[i] as ColumnBins;
      if (foreign && column.kind === 'number' && column.ofModel) continue;
      const value = columns[i] as number;
      if (!Number.isFinite(value)) add(this.#missing, i);
      else {
        add(this.#counts[i] as Float64Array, columnBin(column, value));
        if (isOutside(column, value)) add(this.#outside, i);
      }
    }
    if (!foreign) {
      add(this.#counts[inputs.length] as Float64Array, predicted);
      if (sure !== null)
        add(this.#counts[inputs.length + 1] as Float64Array, binOf(sure.edges, confidence as number));
    }
    if (id === undefined) return;
    const guarded = this.#guard !== null && model === this.#guard.model;
    const groups = this.#groups;
    const group =
      groups === null
        ? undefined
        : columnBin(inputs[groups.column] as ColumnBins, columns[groups.column] as number);
    this.#await({ id, prediction, guarded, foreign, group });
  }

  /** Observations of the period, and outcomes that came in it. */
  get counted(): { readonly observations: number; readonly labelled: number } {
    return { observations: this.#observations, labelled: this.#labelled };
  }

  /** True where the outcome of a prediction with this id would be matched. */
  awaits(id: string): boolean {
    return this.#pending.has(id);
  }

  /**
   * Takes the outcome of an earlier prediction, hours or days later. It counts in the period in which it comes, and once.
   *
   * @param label the index of the class, or the number in the target's unit.
   * @returns true where a detector warns that errors increased.
   * @throws RangeError for a label that is none.
   */
  outcome(id: string, label: number): boolean {
    predictionBin(this.#binning.prediction, label);
    const awaited = this.#pending.get(id);
    if (awaited === undefined) {
      this.#unmatched++;
      return false;
    }
    this.#pending.delete(id);
    const error = errorOf(this.#binning.prediction, awaited.prediction, label);
    const guard = this.#guard;
    if (awaited.guarded && guard !== null)
      this.#guard = { ...guard, labelled: guard.labelled + 1, errors: guard.errors + error };
    if (awaited.foreign) return false;
    this.#labelled++;
    this.#errors += error;
    const { group } = awaited;
    if (group !== undefined) {
      add(this.#groupsLabelled, group);
      this.#groupsErrors[group] = (this.#groupsErrors[group] as number) + error;
    }
    const before = this.#adwin.mean;
    // ADWIN sees changes in both directions; fewer errors are no cause for a warning.
    const adwin = this.#adwin.update(error) && this.#adwin.mean > before;
    const pageHinkley = this.#pageHinkley.update(error);
    if (adwin) this.#warn('adwin');
    if (pageHinkley) this.#warn('pageHinkley');
    return adwin || pageHinkley;
  }

  /** A copy, as JSON. */
  state(): MonitorState {
    return {
      version: 2,
      identity: this.#identity,
      period: this.#period,
      observations: this.#observations,
      foreign: this.#foreign,
      counts: this.#counts.map((counts) => [...counts]),
      missing: [...this.#missing],
      outside: [...this.#outside],
      labelled: this.#labelled,
      errors: this.#errors,
      unmatched: this.#unmatched,
      warned: this.#warned,
      warnings: this.#warnings,
      adwin: this.#adwin.state(),
      pageHinkley: this.#pageHinkley.state(),
      guard: this.#guard,
      ...(this.#groups === null
        ? {}
        : {
            groups: Array.from(this.#groupsLabelled, (labelled, group) => ({
              labelled,
              errors: this.#groupsErrors[group] as number,
            })),
          }),
      pending: [...this.#pending].map(([id, { prediction, guarded, foreign, group }]) =>
        group === undefined ? [id, prediction, guarded, foreign] : [id, prediction, guarded, foreign, group],
      ),
    };
  }

  #await(awaited: Pending): void {
    const { id } = awaited;
    const before = this.#pending.size;
    this.#pending.set(id, awaited);
    if (this.#pending.size === before) {
      // One with this id was there: it comes last in the map as well.
      this.#pending.delete(id);
      this.#pending.set(id, awaited);
    }
    this.#queue.push(awaited);
    while (this.#pending.size > MAX_PENDING) {
      const oldest = this.#queue[this.#first++] as Pending;
      if (this.#pending.get(oldest.id) === oldest) this.#pending.delete(oldest.id);
    }
    if (this.#queue.length < 2 * MAX_PENDING) return;
    this.#queue = [...this.#pending.values()];
    this.#first = 0;
  }

  #warn(detector: 'adwin' | 'pageHinkley'): void {
    this.#warned = true;
    this.#warnings = {
      ...this.#warnings,
      [detector]: { count: this.#warnings[detector].count + 1, last: this.#period },
    };
  }
}

function add(counts: Float64Array, bin: number): void {
  counts[bin] = (counts[bin] as number) + 1;
}

/** The error of a prediction in [0, 1]. */
function errorOf(output: PredictionBins, predicted: number, label: number): number {
  if (output.kind === 'class') return predicted === label ? 0 : 1;
  return Math.min(1, Math.abs(predicted - label) / output.errorScale);
}
