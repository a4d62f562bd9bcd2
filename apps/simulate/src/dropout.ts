import { seededRandom, uniform } from '@coppice/ports';

/** One client, asked in one attempt of a round; rounds and attempts count from 1. */
export interface Asked {
  readonly client: number;
  readonly round: number;
  readonly attempt: number;
}

/**
 * Draws whether a client drops out. Each attempt of a round draws anew, so that a round that lost everyone does not lose
 * the same clients again.
 *
 * @param dropout the chance, from 0 to below 1.
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
