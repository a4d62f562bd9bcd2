import { ExactSum, RowsSum } from '@coppice/federation';
import { Exchange, type ExchangeListener } from '../exchanges/exchange.ts';
import { ask } from '../exchanges/question.ts';
import { trainName } from '../exchanges/tickets.ts';
import type { RoundOpening } from '../storage/spool.ts';
import type { OpenRound } from './open-round.ts';
import type { RunOptions, RunState } from './run-state.ts';

/** When an exchange begins and ends, by `clock.elapsed()`, and how long a member may be away. */
export interface ExchangeTimes {
  /** `away` after a restart: members have to come back first. */
  readonly begin: 'asked' | 'away';
  readonly beganAt: number;
  readonly dueAt: number;
  /** In milliseconds. */
  readonly grace: number;
}

/** Step 2: the exchange that asks a round's cohort to train. It is not open yet, and its cohort not asked. */
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
    name: trainName(opening),
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

/** Sends a round's question to its cohort, or to some of it. */
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
