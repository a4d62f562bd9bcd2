import { chiSquareUpper, fairBinomialLower } from './distributions.ts';

/** Examples on which two models disagree. Whole numbers, which add up over participants. */
export interface Discordant {
  /** Right with the current model, wrong with the candidate. */
  readonly lost: number;
  /** Wrong with the current model, right with the candidate. */
  readonly won: number;
}

export interface McNemar {
  /** Two-sided p-values: exact, and with half the weight of what was seen. */
  readonly exact: number;
  readonly mid: number;
  readonly chiSquare: Tested;
  /** With Edwards' correction; 0 where both numbers are equal. */
  readonly corrected: Tested;
}

export interface Tested {
  readonly statistic: number;
  readonly p: number;
}

/** McNemar's test that a candidate and the current model are right equally often (Psychometrika 1947). */
export function mcnemar({ lost, won }: Discordant): McNemar {
  const n = lost + won;
  if (n === 0) {
    const equal = { statistic: 0, p: 1 };
    return { exact: 1, mid: 1, chiSquare: equal, corrected: equal };
  }
  const fewer = Math.min(lost, won);
  const atMost = fairBinomialLower(fewer, n);
  const below = fairBinomialLower(fewer - 1, n);
  const tested = (apart: number): Tested => {
    const statistic = apart ** 2 / n;
    return { statistic, p: chiSquareUpper(statistic) };
  };
  return {
    exact: Math.min(1, 2 * atMost),
    mid: Math.min(1, atMost + below),
    chiSquare: tested(lost - won),
    corrected: tested(Math.max(Math.abs(lost - won) - 1, 0)),
  };
}
