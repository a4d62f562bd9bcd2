import { ExactSum, RowsSum } from '@coppice/federation';
import { Exchange, type ExchangeListener } from '../exchanges/exchange.ts';
import { ask } from '../exchanges/question.ts';
import { trainName } from '../exchanges/tickets.ts';
import type { RoundOpening } from '../storage/spool.ts';
import type { OpenRound } from './open-round.ts';
import type { RunOptions, RunState } from './run-state.ts';

/** Begin and end of an exchange, by `clock.elapsed()`, and its grace period. */
export interface ExchangeTimes {
  /** `away` after a restart: members must reconnect first. */
  readonly begin: 'asked' | 'away';
  readonly beganAt: number;
  readonly dueAt: number;
  /** Milliseconds for which a member may be disconnected. */
  readonly grace: number;
}

/** Step 2: creates the exchange that asks a round's cohort to train. It is not yet open, and its question is not yet sent. */
export function trainExchange(
  opening: RoundOpening,
  times: ExchangeTimes,
  { forms, record }: Pick<RunState, 'forms' | 'record'>,
  {
    audience,
    spool,
    clock,
    listener,
  }: Pick<RunOptions, 'audience' | 'spool' | 'clock'> & { listener: ExchangeListener },
): Exchange {
  const { strategy, train } = forms;
  const { maxExamples } = record.plan;
  const caps = new Map(opening.cohort.map((id, i) => [id, opening.weightCaps[i] ?? maxExamples]));
  return new Exchange({
    owner: opening.run,
    name: trainName(opening.round, opening.attempt),
    title: `round ${opening.round}`,
    cohort: opening.cohort,
    wanted: { ...opening.sizes, beyond: opening.beyond, owed: opening.owed },
    ...times,
    bytes: (id) => audience.bytes(id),
    form: train,
    sum: strategy.needs === 'rows' ? new RowsSum(train.sections) : new ExactSum(train.sections),
    limits: forms.limits(opening.normBounds),
    weightCap: (id) => caps.get(id) ?? maxExamples,
    spool,
    durable: true,
    clock,
    listener,
  });
}

/** Sends a round's question to its cohort, or to a part of it. */
export function askToTrain(
  { opening, exchange }: Pick<OpenRound, 'opening' | 'exchange'>,
  state: Pick<RunState, 'tickets' | 'trainParcels'>,
  { audience, clock }: Pick<RunOptions, 'audience' | 'clock'>,
  to: readonly string[] = opening.cohort,
): void {
  const { run, round, attempt, normBounds } = opening;
  ask(
    {
      run,
      kind: 'train',
      round,
      attempt,
      given: normBounds === null ? {} : { normBounds },
      parcels: (participant) => state.trainParcels(participant),
    },
    exchange,
    { audience, tickets: state.tickets, elapsed: clock.elapsed(), to },
  );
}
