import { integerBelow, normal, type RandomSource, seededRandom, shuffle, uniform } from '@coppice/ports';
import { CoppiceError } from '@coppice/protocol';

/** Rule to distribute one dataset among participants. */
export type Partition =
  /** Shuffled and cut evenly: all parts have the same distribution. */
  | { readonly kind: 'iid' }
  /**
   * Sorted by label and cut into equal shards, `shards` for each participant: with 2, each has only a few classes
   * (McMahan et al., 2017, section 3).
   */
  | { readonly kind: 'shards'; readonly shards: number }
  /**
   * Each class is spread over the participants in proportions drawn from Dirichlet(α): the smaller α, the more they
   * differ (Yurochkin et al., 2019).
   */
  | { readonly kind: 'dirichlet'; readonly alpha: number };

/**
 * Reads `iid`, `shards:2` or `dirichlet:0.5`.
 *
 * @throws CoppiceError `config-invalid`
 */
export function parsePartition(text: string): Partition {
  const [kind, value, ...rest] = text.trim().split(':');
  const number = value === undefined || value.trim() === '' ? Number.NaN : Number(value);
  if (rest.length === 0) {
    if (kind === 'iid' && value === undefined) return { kind };
    if (kind === 'shards' && Number.isInteger(number) && number >= 1) return { kind, shards: number };
    if (kind === 'dirichlet' && Number.isFinite(number) && number > 0) return { kind, alpha: number };
  }
  throw new CoppiceError(
    'config-invalid',
    `"${text}" is no way to deal out data. Use iid, shards:N with a whole number of shards each (as shards:2), or dirichlet:A with a number above 0 (as dirichlet:0.5).`,
  );
}

/**
 * Distributes examples: returns the row numbers of each participant, every example exactly once, no participant empty.
 * The same arguments give the same parts on every machine.
 *
 * @throws CoppiceError `config-invalid` where there are too few examples, or where Dirichlet is used with labels that
 *   are not classes.
 */
export function partition(
  labels: ArrayLike<number>,
  clients: number,
  spec: Partition,
  seed: number | string,
): Uint32Array[] {
  const pieces = clients * (spec.kind === 'shards' ? spec.shards : 1);
  if (!Number.isInteger(clients) || clients < 1 || pieces > labels.length) {
    throw new CoppiceError(
      'config-invalid',
      `${labels.length} examples can't be dealt out in ${pieces} parts to ${clients} participants: each part needs at least one. Use fewer participants or shards.`,
    );
  }
  const random = seededRandom(seed, 'partition', spec.kind);
  const rows = shuffle(
    Uint32Array.from({ length: labels.length }, (_, i) => i),
    random,
  );
  if (spec.kind === 'iid') return cut(rows, clients);
  if (spec.kind === 'shards') return byShards(rows, labels, clients, spec.shards, random);
  return byDirichlet(rows, labels, clients, spec.alpha, random);
}

/** Consecutive parts whose sizes differ by at most one. */
function cut(rows: Uint32Array, parts: number): Uint32Array[] {
  const at = (part: number) => Math.floor((part * rows.length) / parts);
  return Array.from({ length: parts }, (_, part) => rows.slice(at(part), at(part + 1)));
}

function byShards(
  shuffled: Uint32Array,
  labels: ArrayLike<number>,
  clients: number,
  each: number,
  random: RandomSource,
): Uint32Array[] {
  // The sort is stable: within a label the shuffled order stays.
  const sorted = shuffled.sort((a, b) => (labels[a] as number) - (labels[b] as number));
  const shards = shuffle(cut(sorted, clients * each), random);
  return Array.from({ length: clients }, (_, client) =>
    concat(shards.slice(client * each, (client + 1) * each)),
  );
}

function byDirichlet(
  shuffled: Uint32Array,
  labels: ArrayLike<number>,
  clients: number,
  alpha: number,
  random: RandomSource,
): Uint32Array[] {
  const classes = new Map<number, number[]>();
  for (const row of shuffled) {
    const label = labels[row] as number;
    if (!Number.isInteger(label)) {
      throw new CoppiceError(
        'config-invalid',
        'dirichlet deals out classes, but these examples have numbers as labels. Use iid or shards.',
      );
    }
    const rows = classes.get(label);
    if (rows) rows.push(row);
    else classes.set(label, [row]);
  }
  const parts: number[][] = Array.from({ length: clients }, () => []);
  for (const label of [...classes.keys()].sort((a, b) => a - b)) {
    const rows = classes.get(label) as number[];
    const shares = dirichlet(clients, alpha, random);
    let from = 0;
    let upTo = 0;
    for (const [client, share] of shares.entries()) {
      upTo += share;
      const to = client === clients - 1 ? rows.length : Math.min(rows.length, Math.round(upTo * rows.length));
      for (let i = from; i < to; i++) parts[client]?.push(rows[i] as number);
      from = Math.max(from, to);
    }
  }
  for (const part of parts) {
    if (part.length > 0) continue;
    const richest = parts.reduce((most, other) => (other.length > most.length ? other : most));
    const [given] = richest.splice(integerBelow(random, richest.length), 1);
    part.push(given as number);
  }
  return parts.map((part) => Uint32Array.from(part));
}

/** One draw from the symmetric Dirichlet distribution: shares that add up to 1. */
export function dirichlet(size: number, alpha: number, random: RandomSource): number[] {
  const logs = Array.from({ length: size }, () => logGamma(alpha, random));
  // Relative to the largest, since with a small α the draws themselves underflow to 0.
  const largest = Math.max(...logs);
  const weights = logs.map((log) => Math.exp(log - largest));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/**
 * The logarithm of a draw from Gamma(shape, 1). Marsaglia & Tsang, "A simple method for generating
 * gamma variables", ACM TOMS 26 (2000); for a shape below 1, their boost Gamma(shape + 1)·U^(1/shape).
 */
function logGamma(shape: number, random: RandomSource): number {
  if (shape < 1) return logGamma(shape + 1, random) + Math.log(1 - uniform(random)) / shape;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(random);
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    if (Math.log(1 - uniform(random)) < 0.5 * x * x + d - d * v + d * Math.log(v)) {
      return Math.log(d) + Math.log(v);
    }
  }
}

function concat(parts: readonly Uint32Array[]): Uint32Array {
  const all = new Uint32Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
