import type { Phase } from '@coppice/protocol';
import { nextPhase, type RoundStep } from './machine.ts';
import { openRecord } from './open-round.ts';
import type { RunOptions, RunState } from './run-state.ts';

/** The phase of a run's round, with the time that the open round has spent in each. */
export class RoundPhase {
  readonly #exchanges: RunState['exchanges'];
  readonly #o: Pick<RunOptions, 'clock' | 'audience' | 'observer'>;
  #phase: Phase = 'idle';
  #since: number;

  constructor(
    { exchanges }: Pick<RunState, 'exchanges'>,
    options: Pick<RunOptions, 'clock' | 'audience' | 'observer'>,
  ) {
    this.#exchanges = exchanges;
    this.#o = options;
    this.#since = options.clock.elapsed();
  }

  get now(): Phase {
    return this.#phase;
  }

  /** Moves to the next phase, and reports it. */
  step(step: RoundStep): void {
    const { clock, audience, observer } = this.#o;
    const { round } = this.#exchanges;
    const now = clock.elapsed();
    if (round !== null) round.phases[this.#phase] = (round.phases[this.#phase] ?? 0) + now - this.#since;
    this.#phase = nextPhase(this.#phase, step);
    this.#since = now;
    observer.runChanged();
    if (round !== null) observer.roundChanged(openRecord(round, audience));
  }
}
