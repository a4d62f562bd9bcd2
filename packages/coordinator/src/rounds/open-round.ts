import { meanMetrics, metricsOf, quartilesOf, tallyOf } from '@coppice/federation';
import type { MetricForm, Metrics, Phase, Quartiles, Reason, Round } from '@coppice/protocol';
import type { Exchange } from '../exchanges/exchange.ts';
import type { RoundOpening } from '../storage/spool.ts';
import type { Audience, Bytes } from './audience.ts';
import { type NormHistory, recentNorms } from './norm-bounds.ts';

/** A round from selection to its end. */
export interface OpenRound {
  readonly opening: RoundOpening;
  readonly exchange: Exchange;
  /** The median norms of the rounds before it. */
  readonly normsBefore: NormHistory['norms'];
  /** Milliseconds spent in each phase so far. */
  readonly phases: Partial<Record<Phase, number>>;
  /** Aborted when the round is over, so that work on it stops. */
  readonly over: AbortController;
}

export interface RoundEnding {
  readonly outcome: Round['outcome'];
  readonly reason: Reason | null;
  /** `elapsed` at the end; null while the round is open. */
  readonly ended: number | null;
  readonly central: Metrics | null;
  readonly checkpoint: string | null;
}

/** The round as it is stored and shown. */
export function toRecord(open: OpenRound, audience: Pick<Audience, 'bytes'>, ending: RoundEnding): Round {
  const { opening, exchange, normsBefore, phases } = open;
  const { cohort, sum } = exchange;
  const bytes = cohortBytes(exchange, audience);
  const accepted = [...cohort.entries()].flatMap(([, { outcome, norms }]) =>
    outcome === 'accepted' ? [norms] : [],
  );
  return {
    run: opening.run,
    round: opening.round,
    attempt: opening.attempt,
    outcome: ending.outcome,
    reason: ending.reason,
    startedAt: opening.startedAt,
    endedAt: ending.ended === null ? null : opening.startedAt + ending.ended - exchange.beganAt,
    target: opening.sizes.target,
    asked: cohort.size,
    accepted: cohort.accepted,
    refused: cohort.count(({ refused }) => refused),
    capped: cohort.count(({ capped }) => capped),
    scaled: cohort.count(({ factor }) => factor < 1),
    ...(opening.normBounds === null ? {} : { normBounds: { ...opening.normBounds } }),
    ...(ending.outcome === 'committed'
      ? { norms: recentNorms(normsBefore, accepted, opening.normBounds) }
      : {}),
    examples: sum.weight,
    phases: { ...phases },
    bytesUp: bytes.up,
    bytesDown: bytes.down,
    central: ending.central,
    federated: null,
    trainingLoss: trainingLossOf(exchange),
    spread: { trainingLoss: quartilesOf(cohort.means('trainingLoss')), loss: null, accuracy: null },
    parent: opening.parent,
    checkpoint: ending.checkpoint,
    cohort: [...cohort.entries()].map(([participant, { outcome, milliseconds, missed }]) => ({
      participant,
      outcome,
      milliseconds,
      missed,
    })),
  };
}

/** The record of a round that is not over. */
export function openRecord(open: OpenRound, audience: Pick<Audience, 'bytes'>): Round {
  return toRecord(open, audience, {
    outcome: 'open',
    reason: null,
    ended: null,
    central: null,
    checkpoint: null,
  });
}

/** Bytes that an exchange's cohort sent and received since it was asked. */
function cohortBytes({ cohort }: Exchange, audience: Pick<Audience, 'bytes'>): Bytes {
  let up = 0;
  let down = 0;
  for (const [id, { bytesBefore }] of cohort.entries()) {
    const now = audience.bytes(id);
    // Counters of a forgotten participant begin anew.
    up += Math.max(0, now.up - bytesBefore.up);
    down += Math.max(0, now.down - bytesBefore.down);
  }
  return { up, down };
}

/** The mean training loss of what was counted; a participant at its cap of weight has no more examples in it. */
function trainingLossOf({ sum, cohort }: Pick<Exchange, 'sum' | 'cohort'>): number | null {
  if (cohort.count(({ capped }) => capped) === 0)
    return metricsOf(tallyOf('train', sum.measures.totals()))?.loss ?? null;
  const own = [...cohort.entries()].flatMap(([, { means, weight }]) =>
    means === null ? [] : [{ loss: means.trainingLoss, accuracy: null, examples: weight }],
  );
  return meanMetrics(own)?.loss ?? null;
}

/** A model on the examples that participants hold out. */
export interface Federated {
  /** Over all examples, of each participant as many as count. */
  readonly mean: Metrics;
  /** True where most participants could tell no finite loss. */
  readonly isLossNull: boolean;
  /** Over participants; `null` of too few. */
  readonly loss: Quartiles | null;
  readonly accuracy: Quartiles | null;
}

/**
 * The model that an exchange asked to measure; `null` where nobody did. The task's own measures are of sums, and are left out
 * where a participant told of more examples than count.
 *
 * @param form the task's.
 */
export function federatedOf(
  exchange: Pick<Exchange, 'sum' | 'cohort' | 'heldCap'>,
  form: MetricForm,
): Federated | null {
  const { sum, cohort } = exchange;
  const own = [...cohort.entries()].flatMap(([participant, { means }]) =>
    means === null || means.held === 0 ? [] : [{ ...means, most: exchange.heldCap(participant) }],
  );
  const isWithin = own.every(({ held, most }) => held <= most);
  const mean = isWithin
    ? metricsOf(tallyOf('held', sum.measures.totals(), form), form)
    : meanMetrics(own.map(({ held, most, ...means }) => ({ ...means, examples: Math.min(held, most) })));
  if (mean === null) return null;
  return {
    mean,
    isLossNull: 2 * own.filter(({ loss }) => loss === null).length > own.length,
    loss: quartilesOf(cohort.means('loss')),
    accuracy: quartilesOf(cohort.means('accuracy')),
  };
}

/** The record of the round that made a model, with the measurements of the model. */
export function withFederated(made: Round, { mean, loss, accuracy }: Omit<Federated, 'isLossNull'>): Round {
  const trainingLoss = made.spread?.trainingLoss ?? null;
  return { ...made, federated: mean, spread: { trainingLoss, loss, accuracy } };
}
