import type { Reason, RunStatus } from '@coppice/protocol';
import { failureData } from '../failure.ts';
import { announceRunEnd } from './announce.ts';
import { isOver, nextStatus, type RunAct } from './machine.ts';
import type { RoundLoop } from './round-loop.ts';
import type { RunLog } from './run-log.ts';
import { allChanged, type RunOptions, type RunState } from './run-state.ts';

/** Changes of a run's status: each is durable before anybody is told of it, and before its rounds follow. */
export class StatusChanges {
  readonly #state: RunState;
  readonly #log: RunLog;
  readonly #rounds: Pick<RoundLoop, 'halt' | 'resumed' | 'consider'>;
  readonly #o: Pick<RunOptions, 'storage' | 'audience' | 'observer' | 'clock'>;

  constructor(
    state: RunState,
    log: RunLog,
    rounds: Pick<RoundLoop, 'halt' | 'resumed' | 'consider'>,
    options: Pick<RunOptions, 'storage' | 'audience' | 'observer' | 'clock'>,
  ) {
    this.#state = state;
    this.#log = log;
    this.#rounds = rounds;
    this.#o = options;
  }

  /**
   * Resolves when the new status is durable. A round that is being stored is stored first: it may be the last, and then
   * the run is finished.
   *
   * @param reason of the coordinator; null where an admin acts.
   * @throws CoppiceError `run-state`, `run-ended`; `storage-failed` and its kin, then the status is as it was.
   */
  async change(act: RunAct, reason: Reason | null = null): Promise<void> {
    try {
      await this.#state.lane.change(() => this.#change(act, reason));
    } finally {
      this.#rounds.consider();
    }
  }

  /** Pauses the run for a reason of the coordinator's; it goes on when an admin resumes it. */
  async giveUp(reason: Reason): Promise<void> {
    // Stopped while this waited for its turn: there is nothing left to pause.
    await this.change('give-up', reason).catch((thrown: unknown) => {
      if (!isOver(this.#state.record.status)) throw thrown;
    });
  }

  async #change(act: RunAct, reason: Reason | null): Promise<void> {
    const { storage, audience, observer, clock } = this.#o;
    const { record: before } = this.#state;
    const status = nextStatus(before.status, act);
    const endedAt = isOver(status) ? clock.now() : null;
    const record = { ...before, status, reason, endedAt };
    await storage.putRun(record);
    this.#state.record = record;
    if (reason === null) this.#log.add('info', eventOf(status), {});
    else this.#log.add('error', act === 'stop' ? 'run-stopped' : 'run-paused', failureData(reason));
    if (act === 'stop') {
      await this.#rounds.halt();
      announceRunEnd(this.#state, audience);
    }
    if (act === 'resume') this.#rounds.resumed();
    allChanged(observer);
  }
}

/** The event of a change of status that an admin made. */
function eventOf(status: RunStatus): 'run-running' | 'run-paused' | 'run-stopped' {
  if (status === 'running') return 'run-running';
  return status === 'paused' ? 'run-paused' : 'run-stopped';
}
