import { type Measures, metricsOf, quartilesOf, tallyOf } from '@coppice/federation';
import type { Metrics, Phase, Quartiles, Reason, Round } from '@coppice/protocol';
import type { Exchange } from '../exchanges/exchange.ts';
import type { RoundOpening } from '../storage/spool.ts';
import type { Bytes } from './audience.ts';
import { type NormHistory, recentNorms } from './norm-bounds.ts';

/** A round from selection to its end. */
export interface OpenRound {
  readonly opening: RoundOpening;
  readonly exchange: Exchange;
  /** The median norms of the rounds before it. */
  readonly normsBefore: NormHistory['norms'];
  /** Milliseconds spent in each phase so far. */
  readonly phases: Partial<Record<Phase, number>>;
}

export interface RoundEnding {
  readonly outcome: Round['outcome'];
  readonly reason: Reason | null;
  /** `elapsed` at the end; null while the round is open. */
  readonly ended: number | null;
  readonly central: Metrics | null;
  readonly checkpoint: string | null;
  readonly bytes: Bytes;
}

/** The round as it is stored and shown. */
export function toRecord({ opening, exchange, normsBefore, phases }: OpenRound, ending: RoundEnding): Round {
  const { cohort, sum } = exchange;
  const measures = sum.measures.totals();
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
    ...(ending.outcome === 'committed' ? { norms: recentNorms(normsBefore, accepted) } : {}),
    examples: sum.weight,
    phases: { ...phases },
    bytesUp: ending.bytes.up,
    bytesDown: ending.bytes.down,
    central: ending.central,
    federated: null,
    trainingLoss: trainingLossOf(measures),
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

/** The mean training loss of what was counted. */
function trainingLossOf(measures: Measures): number | null {
  return metricsOf(tallyOf('train', measures))?.loss ?? null;
}

/** A model on the examples that participants hold out. */
export interface Federated {
  /** Over all examples. */
  readonly mean: Metrics;
  /** Over participants; `null` of too few. */
  readonly loss: Quartiles | null;
  readonly accuracy: Quartiles | null;
}

/** The model that an exchange asked to measure; `null` where nobody did. */
export function federatedOf({ sum, cohort }: Pick<Exchange, 'sum' | 'cohort'>): Federated | null {
  const mean = metricsOf(tallyOf('held', sum.measures.totals()));
  if (mean === null) return null;
  return { mean, loss: quartilesOf(cohort.means('loss')), accuracy: quartilesOf(cohort.means('accuracy')) };
}

/** The record of the round that made a model, with the measurements of the model. */
export function withFederated(made: Round, { mean, loss, accuracy }: Federated): Round {
  const trainingLoss = made.spread?.trainingLoss ?? null;
  return { ...made, federated: mean, spread: { trainingLoss, loss, accuracy } };
}
