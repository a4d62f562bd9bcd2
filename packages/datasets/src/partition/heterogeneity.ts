/** Participants that are compared in pairs: the work grows with the square. */
const MOST_PAIRED = 2000;

/** How far one participant's classes are from those of all. */
export interface ParticipantHeterogeneity {
  /** Hellinger distance, 0–1. */
  readonly hellinger: number;
  /** Kullback-Leibler divergence from the distribution of all, in nats. */
  readonly kl: number;
  /** Jensen-Shannon distance, with logarithms of base 2: 0–1. */
  readonly jsDistance: number;
  /** Total variation, 0–1: also the earth mover's distance between unordered classes. */
  readonly totalVariation: number;
  /** Earth mover's distance with the classes at 0, 1, 2, …. */
  readonly emdOrdinal: number;
  /** Entropy of the participant's classes, in nats. */
  readonly entropy: number;
  readonly classesPresent: number;
}

/** Distances over participants with examples: plain, and weighted by their examples. */
type Averages = { readonly [name in Averaged]: { readonly mean: number; readonly weighted: number } };
type Averaged = 'hellinger' | 'kl' | 'jsDistance' | 'totalVariation' | 'emdOrdinal';

export interface Heterogeneity {
  readonly globalDistribution: readonly number[];
  /** `null` for a participant without examples. */
  readonly perParticipant: readonly (ParticipantHeterogeneity | null)[];
  readonly averages: Averages;
  readonly sizes: SizeSpread;
  /** Mean Hellinger distance of two participants; `null` with fewer than two, and with more than `MOST_PAIRED`. */
  readonly pairwiseHellinger: number | null;
}

export interface SizeSpread {
  /** Population standard deviation of the sizes, divided by their mean. */
  readonly cv: number;
  /** Gini coefficient, 0 for equal sizes. */
  readonly gini: number;
  /** Infinite where a participant has no examples. */
  readonly maxOverMin: number;
}

/**
 * How differently examples are spread over participants.
 *
 * @param counts participant × class, the number of examples; at least one in all.
 */
export function heterogeneity(counts: readonly (readonly number[])[]): Heterogeneity {
  const sizes = counts.map(sum);
  const total = sum(sizes);
  const classes = counts[0]?.length ?? 0;
  const all = Array.from(
    { length: classes },
    (_, label) => sum(counts.map((own) => own[label] as number)) / total,
  );
  const shares = counts.map((own, index) =>
    sizes[index] === 0 ? null : own.map((count) => count / (sizes[index] as number)),
  );
  const perParticipant = shares.map((own) => (own === null ? null : distances(own, all)));
  const present = perParticipant.flatMap((one, index) =>
    one === null ? [] : [[one, sizes[index] as number] as const],
  );
  const average = (name: Averaged) => ({
    mean: sum(present.map(([one]) => one[name])) / present.length,
    weighted: sum(present.map(([one, size]) => one[name] * size)) / total,
  });
  return {
    globalDistribution: all,
    perParticipant,
    averages: {
      hellinger: average('hellinger'),
      kl: average('kl'),
      jsDistance: average('jsDistance'),
      totalVariation: average('totalVariation'),
      emdOrdinal: average('emdOrdinal'),
    },
    sizes: sizeSpread(sizes),
    pairwiseHellinger: pairwise(shares.filter((own) => own !== null)),
  };
}

/** How different the sizes of the parts are. */
export function sizeSpread(sizes: readonly number[]): SizeSpread {
  const mean = sum(sizes) / sizes.length;
  const sorted = sizes.toSorted((a, b) => a - b);
  // The sum of |a − b| over all ordered pairs, from the sorted sizes.
  const differences = 2 * sum(sorted.map((size, index) => size * (2 * index + 1 - sizes.length)));
  return {
    cv: Math.sqrt(sum(sizes.map((size) => (size - mean) ** 2)) / sizes.length) / mean,
    gini: differences / (2 * sizes.length ** 2 * mean),
    maxOverMin: (sorted.at(-1) as number) / (sorted[0] as number),
  };
}

function distances(own: readonly number[], all: readonly number[]): ParticipantHeterogeneity {
  const middle = own.map((share, label) => (share + (all[label] as number)) / 2);
  const totalVariation = sum(own.map((share, label) => Math.abs(share - (all[label] as number)))) / 2;
  let below = 0;
  const emdOrdinal = sum(
    own.map((share, label) => {
      below += share - (all[label] as number);
      return Math.abs(below);
    }),
  );
  return {
    hellinger: hellinger(own, all),
    kl: divergence(own, all),
    jsDistance: Math.sqrt(Math.max(0, (divergence(own, middle) + divergence(all, middle)) / 2 / Math.LN2)),
    totalVariation,
    emdOrdinal,
    entropy: -sum(own.map((share) => (share === 0 ? 0 : share * Math.log(share)))),
    classesPresent: own.filter((share) => share > 0).length,
  };
}

function hellinger(a: readonly number[], b: readonly number[]): number {
  return Math.sqrt(sum(a.map((share, label) => (Math.sqrt(share) - Math.sqrt(b[label] as number)) ** 2)) / 2);
}

function divergence(a: readonly number[], b: readonly number[]): number {
  return sum(a.map((share, label) => (share === 0 ? 0 : share * Math.log(share / (b[label] as number)))));
}

function pairwise(shares: readonly (readonly number[])[]): number | null {
  const pairs = (shares.length * (shares.length - 1)) / 2;
  if (pairs === 0 || shares.length > MOST_PAIRED) return null;
  let total = 0;
  for (const [index, one] of shares.entries())
    for (const other of shares.slice(index + 1)) total += hellinger(one, other);
  return total / pairs;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
