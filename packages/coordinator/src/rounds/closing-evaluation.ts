import { ExactSum, selectCohort } from '@coppice/federation';
import { seededRandom } from '@coppice/ports';
import { ANSWER_TIMEOUT, metricForm } from '@coppice/protocol';
import { Exchange } from '../exchanges/exchange.ts';
import { ask } from '../exchanges/question.ts';
import { evaluateName } from '../exchanges/tickets.ts';
import { type Federated, federatedOf } from './open-round.ts';
import { weightCapOf } from './opening.ts';
import type { RunOptions, RunState } from './run-state.ts';

/**
 * Asks participants to evaluate the last model of a run, which no later round does.
 *
 * @param done called once with the measurements: when all have answered or time is up.
 * @returns the exchange; `null` where no participant could be asked.
 */
export function closingEvaluation(
  state: RunState,
  { audience, clock, spool }: Pick<RunOptions, 'audience' | 'clock' | 'spool'>,
  done: (federated: Federated | null) => void,
): Exchange | null {
  const { record, model, lastRound, forms, tickets } = state;
  if (record.plan.evaluationShare === 0) return null;
  const size = Math.max(1, lastRound?.target ?? 1);
  const random = seededRandom(state.secret, 'closing');
  const available = state.members.available();
  const cohort = selectCohort(available.keys(), size, random);
  if (cohort.length === 0) return null;
  const beganAt = clock.elapsed();
  const sum = new ExactSum(forms.evaluate.sections);
  const exchange: Exchange = new Exchange({
    owner: record.id,
    name: evaluateName(model.round, model.hash),
    title: 'the last evaluation',
    cohort,
    wanted: { target: cohort.length, quorum: 1 },
    begin: 'asked',
    bytes: (id) => audience.bytes(id),
    beganAt,
    dueAt: beganAt + ANSWER_TIMEOUT,
    grace: ANSWER_TIMEOUT,
    form: forms.evaluate,
    sum,
    limits: new Map(),
    weightCap: () => 1,
    heldCap: weightCapOf(record.plan, available),
    spool,
    durable: false,
    clock,
    listener: {
      changed: () => {},
      counted: () => {},
      refused: () => {},
      closed: () => done(federatedOf(exchange, metricForm(record.task))),
    },
  });
  const question = {
    run: record.id,
    kind: 'evaluate',
    round: model.round,
    attempt: 1,
    given: {},
    parcels: (participant: string) => state.evaluateParcels(participant),
  } as const;
  ask(question, exchange, { audience, tickets, elapsed: beganAt });
  exchange.open();
  return exchange;
}
