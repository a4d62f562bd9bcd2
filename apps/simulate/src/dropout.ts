import { seededRandom, uniform } from '@coppice/ports';

/** A client's question in one attempt of a round; rounds and attempts count from 1. */
export interface Asked {
  readonly client: number;
  readonly round: number;
  readonly attempt: number;
}

/**
 * Draws at random for a client to drop out. Each attempt of a round draws anew, so that a round that lost all its
 * clients does not lose the same ones again.
 *
 * @param dropout the probability, from 0 to below 1.
 */
export function dropsOut(
  { seed, dropout }: { readonly seed: number; readonly dropout: number },
  { client, round, attempt }: Asked,
): boolean {
  if (dropout === 0) return false;
  // The stream of a first attempt is named without it: results of one-attempt rounds stay what they were.
  const again = attempt === 1 ? [] : [attempt];
  return uniform(seededRandom(seed, 'dropout', client, round, ...again)) < dropout;
}

/** Draws at random for a client to be away, by its trace; each attempt draws anew. */
export function isAway(
  seed: number,
  { available }: { readonly available: number },
  { client, round, attempt }: Asked,
): boolean {
  if (available >= 1) return false;
  return uniform(seededRandom(seed, 'trace', client, round, attempt)) >= available;
}
