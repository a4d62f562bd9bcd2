import type { CoppiceError, Reason, Round } from '@coppice/protocol';
import { failureData, reasonOf } from '../failure.ts';
import { announceEnd } from './announce.ts';
import type { MadeModel } from './make-model.ts';
import { type OpenRound, toRecord } from './open-round.ts';
import type { RoundPhase } from './round-phase.ts';
import type { RunLog } from './run-log.ts';
import type { RunOptions, RunState } from './run-state.ts';

/** The two ways in which a round ends: its model becomes the current one, or it leaves everything as it was. */
export class RoundOutcomes {
  readonly #state: RunState;
  readonly #log: RunLog;
  readonly #phase: RoundPhase;
  readonly #o: Pick<RunOptions, 'audience' | 'clock' | 'observer' | 'spool' | 'storage'>;

  constructor(
    state: RunState,
    log: RunLog,
    phase: RoundPhase,
    options: Pick<RunOptions, 'audience' | 'clock' | 'observer' | 'spool' | 'storage'>,
  ) {
    this.#state = state;
    this.#log = log;
    this.#phase = phase;
    this.#o = options;
  }

  /** @param round the record of the round, which is durable. */
  committed(open: OpenRound, { next, central, packed, given }: MadeModel, round: Round): void {
    this.#forgetSpool();
    const { hash, weights, state: memory, step } = next;
    const model = { round: open.opening.round, hash, weights, state: memory };
    this.#state.moveOn(model, central, round, { packed, given, step });
    this.#end(open, 'committed', null);
    this.#o.observer.roundChanged(round);
    this.#log.add('info', 'round-committed', {
      accepted: round.accepted,
      asked: round.asked,
      bytes: round.bytesUp + round.bytesDown,
      accuracy: round.central?.accuracy ?? null,
    });
    const { accepted, capped = 0, scaled = 0 } = round;
    if (capped + scaled > 0) this.#log.add('info', 'updates-shortened', { accepted, capped, scaled });
    if (next.variancesKept > 0) this.#log.add('warning', 'variances-kept', { variances: next.variancesKept });
  }

  /**
   * The abandonment is stored before anybody is told of it, or a restart in between would go on with the round: first its
   * record, by which a round that is still in the spool is recognised as over. Where it cannot be stored, the round ends
   * all the same.
   *
   * @param closed true once this process must tell nobody any more.
   * @returns the reason, as the round's record has it; `null` where nobody was told.
   */
  async abandoned(open: OpenRound, error: CoppiceError, closed: () => boolean): Promise<Reason | null> {
    const { audience, clock, observer, storage, spool } = this.#o;
    const { opening, exchange } = open;
    exchange.abandon();
    exchange.cohort.settle();
    // Work on its model stops.
    open.over.abort();
    const reason = reasonOf(error);
    const round = toRecord(open, audience, {
      outcome: 'abandoned',
      reason,
      ended: clock.elapsed(),
      central: null,
      checkpoint: null,
    });
    if (error.code === 'quorum-lost')
      for (const [id, { outcome, diverged }] of exchange.cohort.entries())
        if (outcome === 'declined' && !diverged) this.#state.attendance.declined(id);
    const failures: unknown[] = [];
    const fails = (thrown: unknown) => void failures.push(thrown);
    await storage.putRound(round).catch(fails);
    await spool.drop(opening.run).catch(fails);
    if (closed()) return null;
    this.#end(open, 'abandoned', reason);
    observer.roundChanged(round);
    this.#log.add('warning', 'round-abandoned', failureData(reason), opening.round);
    for (const thrown of failures) this.#log.notStored(thrown);
    return reason;
  }

  #end(open: OpenRound, outcome: 'committed' | 'abandoned', reason: Reason | null): void {
    announceEnd(open, this.#state, this.#o.audience, { outcome, reason });
    open.over.abort();
    this.#state.exchanges.round = null;
    this.#phase.step(outcome);
  }

  /** A round that is left in the spool is recognised as over at the next start. */
  #forgetSpool(): void {
    this.#o.spool.drop(this.#state.record.id).catch((thrown: unknown) => this.#log.notStored(thrown));
  }
}
