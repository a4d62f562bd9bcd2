import type { Quartiles } from '@coppice/protocol';
import type { Measures } from './contributions/measures.ts';
import { metricsOf, tallyOf } from './contributions/train-measures.ts';
import { quantiles } from './quantiles.ts';

/** The fewest participants that are summarized: of fewer, quartiles would show what one of them measured. */
export const SPREAD_PARTICIPANTS = 5;

/** One participant's own means; `null` where it told none. */
export interface OwnMeans {
  readonly trainingLoss: number | null;
  /** The received model on examples held out, loss and share of hits. */
  readonly loss: number | null;
  readonly accuracy: number | null;
  /** The number of examples behind `loss` and `accuracy`. */
  readonly held: number;
}

export function ownMeans(measures: Measures): OwnMeans {
  const held = metricsOf(tallyOf('held', measures));
  return {
    trainingLoss: metricsOf(tallyOf('train', measures))?.loss ?? null,
    loss: held?.loss ?? null,
    accuracy: held?.accuracy ?? null,
    held: held?.examples ?? 0,
  };
}

/**
 * Quartiles of participants' own means, whatever their order and their weights: fewer than a quarter of the participants
 * move none of the three beyond what the others told. Between two values they are interpolated linearly.
 *
 * @param values finite, one a participant; `null` of one that told none.
 * @returns `null` of fewer than `SPREAD_PARTICIPANTS` values.
 */
export function quartilesOf(values: Iterable<number | null>): Quartiles | null {
  const told = [...values].filter((value) => value !== null);
  if (told.length < SPREAD_PARTICIPANTS) return null;
  const [lower, median, upper] = quantiles(told, [0.25, 0.5, 0.75]) as [number, number, number];
  return { lower, median, upper, participants: told.length };
}
