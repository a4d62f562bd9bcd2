import {
  CoppiceError,
  type Metrics,
  type Round,
  type RoundEnd,
  type Run,
  type Task,
  targetError,
} from '@coppice/protocol';
import type { CoordinatorLink } from './coordinator-link.ts';
import type { RoundEvent } from './events.ts';
import type { Failure } from './failure.ts';

/** Consecutive abandoned attempts at a round that end the simulation. */
const MOST_ATTEMPTS = 20;
/** The pause between two questions for the state of a run, in milliseconds, where nothing tells of changes. */
const ASKING = 500;

/** A listener to the rounds of a run. */
export interface RoundObserver {
  onRound(event: RoundEvent): void;
  onAbandoned(round: Pick<Round, 'round' | 'reason'>): void;
  /** Called during a round with the number of updates accepted, of those asked for. */
  onProgress(accepted: number, asked: number): void;
}

/** The rounds of a run, as they end. */
export class RunProgress {
  readonly rounds: RoundEvent[] = [];
  /** Hash of the last committed model. */
  checkpoint: string | null = null;
  readonly #observer: RoundObserver;
  readonly #failure: Failure;
  readonly #seen = new Set<string>();
  readonly #task: Pick<Task, 'data' | 'loss'>;
  readonly #dropout: number;
  #abandoned = 0;

  constructor(
    observer: RoundObserver,
    failure: Failure,
    { task, dropout }: { task: Pick<Task, 'data' | 'loss'>; dropout: number },
  ) {
    this.#observer = observer;
    this.#failure = failure;
    this.#task = task;
    this.#dropout = dropout;
  }

  /** Takes over the rounds of an earlier start, of which nobody is told again. */
  resume(rounds: readonly Round[]): void {
    for (const round of rounds) {
      if (round.outcome === 'open') continue;
      this.#seen.add(`${round.round}/${round.attempt}`);
      if (round.outcome === 'abandoned') continue;
      this.checkpoint = round.checkpoint;
      this.rounds.push(this.#told(roundEvent(round), round.central));
    }
  }

  /** Waits for the end of a run, by an admin's connection. @param paused ends the wait too, where the coordinator paused it. */
  watch(link: CoordinatorLink, run: string, { paused }: { readonly paused: boolean }): Promise<Run> {
    const { promise, resolve } = Promise.withResolvers<Run>();
    link.watch(
      run,
      {
        onRound: (round) => this.#onRound(round),
        onRun: (changed) => {
          const gaveUp = paused && changed.status === 'paused' && changed.reason !== null;
          if (!gaveUp && !isOver(changed.status)) return;
          if (changed.status === 'finished' && this.rounds.length < changed.round) return;
          resolve(changed);
        },
      },
      this.#failure.report,
    );
    return this.#failure.beside(promise);
  }

  /** As `watch`, from what is public: `onRoundEnd` is called with the rounds that a participant hears of. */
  async ask(link: CoordinatorLink, run: string): Promise<Pick<Run, 'status' | 'checkpoint'>> {
    for (;;) {
      const found = (await this.#failure.beside(link.runs())).find(({ id }) => id === run);
      if (found === undefined) throw new CoppiceError('run-unknown', `The run ${run} is not there any more.`);
      if (isOver(found.status)) return found;
      await this.#failure.beside(new Promise((resolve) => setTimeout(resolve, ASKING)));
    }
  }

  onRoundEnd({ round, attempt, outcome, reason, central, accepted, checkpoint }: RoundEnd): void {
    const key = `${round}/${attempt}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    if (outcome === 'abandoned') {
      this.#observer.onAbandoned({ round, reason });
      return;
    }
    this.checkpoint = checkpoint;
    this.#committed(central, {
      event: 'round',
      round,
      accuracy: central?.accuracy ?? null,
      loss: central?.loss ?? null,
      ...(central?.values === undefined ? {} : { values: central.values }),
      participants: accepted,
      bytesUp: 0,
      bytesDown: 0,
      seconds: 0,
      capped: 0,
      scaled: 0,
    });
  }

  #onRound(round: Round): void {
    const key = `${round.round}/${round.attempt}`;
    if (round.outcome === 'open') {
      this.#observer.onProgress(round.accepted, round.asked);
      return;
    }
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    if (round.outcome === 'abandoned') {
      this.#observer.onAbandoned(round);
      this.#abandoned++;
      if (this.#abandoned === MOST_ATTEMPTS) this.#failure.report(hopeless(round, this.#dropout));
      return;
    }
    this.#abandoned = 0;
    this.checkpoint = round.checkpoint;
    this.#committed(round.central, roundEvent(round));
  }

  #committed(central: Metrics | null, event: RoundEvent): void {
    const told = this.#told(event, central);
    this.rounds.push(told);
    this.#observer.onRound(told);
  }

  #told(event: RoundEvent, central: Metrics | null): RoundEvent {
    const error = targetError(central, this.#task);
    return error === null ? event : { ...event, error };
  }
}

function isOver(status: Run['status']): boolean {
  return status === 'finished' || status === 'stopped' || status === 'failed';
}

/** The error of a simulation whose round keeps failing. */
function hopeless({ round, reason }: Round, dropout: number): CoppiceError {
  const last = reason ?? { code: 'quorum-lost', message: 'No update came.' };
  const cure =
    last.code === 'quorum-lost' && dropout > 0
      ? ' A lower --dropout, or more clients, loses fewer rounds.'
      : '';
  return new CoppiceError(
    last.code,
    `Round ${round} was abandoned ${MOST_ATTEMPTS} times in a row, and the simulation ended. The last reason: ${last.message}${cure}`,
  );
}

function roundEvent(round: Round): RoundEvent {
  return {
    event: 'round',
    round: round.round,
    accuracy: round.central?.accuracy ?? null,
    loss: round.central?.loss ?? null,
    ...(round.central?.values === undefined ? {} : { values: round.central.values }),
    participants: round.accepted,
    bytesUp: round.bytesUp,
    bytesDown: round.bytesDown,
    seconds: ((round.endedAt ?? round.startedAt) - round.startedAt) / 1000,
    capped: round.capped ?? 0,
    scaled: round.scaled ?? 0,
  };
}
