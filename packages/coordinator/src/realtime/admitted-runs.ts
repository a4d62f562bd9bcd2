import type { Run, RunSummary } from '@coppice/protocol';
import { type Runs, summaryOf } from '../registry/runs.ts';
import type { RunEngine } from '../rounds/run-engine.ts';
import type { Admissions } from '../security/admissions.ts';

/** Access of participants to runs: applies each run's admission to every message about it. */
export class AdmittedRuns {
  readonly #runs: Runs;
  readonly #admissions: Admissions;

  constructor(runs: Runs, admissions: Admissions) {
    this.#runs = runs;
    this.#admissions = admissions;
  }

  admits(participant: string, run: string): boolean {
    return this.#admissions.refusal(participant, run) === null;
  }

  /** @throws CoppiceError `run-unknown`, `participant-banned`, `run-not-admitted` */
  ensure(participant: string, run: string): void {
    // Known first, or it would be said to admit nobody.
    this.#runs.get(run);
    this.#ensureAdmitted(participant, run);
  }

  /**
   * A run that is not over, for a participant that may take part in it.
   *
   * @throws CoppiceError `run-unknown`, `run-ended`, `participant-banned`, `run-not-admitted`
   */
  engine(participant: string, run: string): RunEngine {
    const engine = this.#runs.engine(run);
    this.#ensureAdmitted(participant, run);
    return engine;
  }

  /** Summaries of runs, each as far as the participant may see it. */
  summaries(participant: string, runs: readonly Run[]): RunSummary[] {
    return runs.map((run) => summaryOf(run, this.admits(participant, run.id)));
  }

  #ensureAdmitted(participant: string, run: string): void {
    const refusal = this.#admissions.refusal(participant, run);
    if (refusal !== null) throw refusal;
  }
}
