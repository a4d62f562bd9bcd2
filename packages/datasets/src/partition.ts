import { integerBelow, type RandomSource, seededRandom, shuffle } from '@coppice/ports';
import { CoppiceError } from '@coppice/protocol';
import {
  concat,
  evenParts,
  labelShards,
  proportionalSplit,
  quantileGroups,
  rowsByValue,
  sizesByWeight,
} from './partition/cuts.ts';
import { mainDirection } from './partition/direction.ts';
import { dirichlet } from './partition/dirichlet.ts';
import type { Partition } from './partition/spec.ts';

/** Groups of examples by a number, for the partitions that spread numbers as others spread classes. */
export const QUANTILES = 10;

/** The parts of the data that some partitions need beside the labels. */
export interface PartitionedData {
  /** The value of the column of `by-column` or `feature-skew`, for each example. */
  readonly column?: readonly string[];
  /** All features, row-major, for `feature-skew` without a column. */
  readonly features?: ArrayLike<number>;
}

/**
 * Distributes examples: returns the row numbers of each participant, every example exactly once, no participant empty.
 * The same arguments give the same parts on every machine.
 *
 * @param data what `by-column` and `feature-skew` divide by.
 * @throws CoppiceError `config-invalid` where there are too few examples or values, where the data of a column is
 *   missing, and where classes are needed and the labels are numbers.
 */
export function partition(
  labels: ArrayLike<number>,
  clients: number,
  spec: Partition,
  seed: number | string,
  data: PartitionedData = {},
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
  switch (spec.kind) {
    case 'iid':
      return cut(rows, clients);
    case 'shards':
      return labelShards(labels, rows, {
        each: spec.shards,
        order: shuffle([...Array(pieces).keys()], random),
      });
    case 'dirichlet':
      // Cut points are rounded to the nearest here: parts that earlier seeds made stay the same.
      return spread(classesOf(rows, labels), { clients, alpha: spec.alpha, random, toWhole: Math.round });
    case 'by-column':
      return byColumn(given(data.column, spec.column), clients, random);
    case 'quantity-skew': {
      const weights =
        spec.sizes === 'dirichlet'
          ? dirichlet(clients, spec.value, random)
          : Array.from({ length: clients }, (_, client) => (client + 1) ** -spec.value);
      return consecutive(rows, sizesByWeight(weights, rows.length, 1));
    }
    case 'feature-skew': {
      const groups = quantileGroups(featureOf(spec.column, labels.length, data), QUANTILES);
      return spread(classesOf(rows, groups), { clients, alpha: spec.alpha, random });
    }
    case 'continuous':
      return spread(classesOf(rows, quantileGroups(labels, QUANTILES)), {
        clients,
        alpha: spec.alpha,
        random,
      });
  }
}

/**
 * The numbers by which `feature-skew` orders the examples.
 *
 * @throws CoppiceError `config-invalid` where the column has a value that is no number.
 */
export function featureOf(column: string | null, count: number, data: PartitionedData): ArrayLike<number> {
  if (column === null) {
    if (data.features === undefined) throw new Error('features are needed');
    return mainDirection(data.features, data.features.length / count);
  }
  return given(data.column, column).map((text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (Number.isFinite(value)) return value;
    throw new CoppiceError(
      'config-invalid',
      `feature-skew orders examples by a column of numbers, and "${column}" has "${text.slice(0, 40)}". by-column keeps the rows of one value together.`,
    );
  });
}

function given(values: readonly string[] | undefined, column: string): readonly string[] {
  if (values === undefined) throw new CoppiceError('config-invalid', `There is no column "${column}".`);
  return values;
}

function cut(rows: Uint32Array, parts: number): Uint32Array[] {
  const at = (part: number) => Math.floor((part * rows.length) / parts);
  return Array.from({ length: parts }, (_, part) => rows.slice(at(part), at(part + 1)));
}

function consecutive(rows: Uint32Array, sizes: readonly number[]): Uint32Array[] {
  let from = 0;
  return sizes.map((size) => {
    from += size;
    return rows.slice(from - size, from);
  });
}

/** The rows of each class, classes in order. @throws CoppiceError `config-invalid` where labels are not whole. */
function classesOf(rows: Uint32Array, labels: ArrayLike<number>): number[][] {
  const classes = new Map<number, number[]>();
  for (const row of rows) {
    const label = labels[row] as number;
    if (!Number.isInteger(label)) {
      throw new CoppiceError(
        'config-invalid',
        'dirichlet deals out classes, but these examples have numbers as labels. Use iid, shards or continuous.',
      );
    }
    const own = classes.get(label);
    if (own) own.push(row);
    else classes.set(label, [row]);
  }
  return [...classes].sort(([a], [b]) => a - b).map(([, own]) => own);
}

interface Spread {
  readonly clients: number;
  readonly alpha: number;
  readonly random: RandomSource;
  readonly toWhole?: (cut: number) => number;
}

/** Spreads each group in proportions from Dirichlet(α); a participant left empty gets an example of the largest. */
function spread(groups: readonly number[][], { clients, alpha, random, toWhole }: Spread): Uint32Array[] {
  const proportions = groups.map(() => dirichlet(clients, alpha, random));
  const parts = proportionalSplit(groups, proportions, toWhole);
  for (const part of parts) {
    if (part.length > 0) continue;
    const richest = parts.reduce((most, other) => (other.length > most.length ? other : most));
    const [taken] = richest.splice(integerBelow(random, richest.length), 1);
    part.push(taken as number);
  }
  return parts.map((part) => Uint32Array.from(part));
}

/** One participant for each value in the order of the rows, or the values dealt to fewer participants at random. */
function byColumn(column: readonly string[], clients: number, random: RandomSource): Uint32Array[] {
  const { names, rows } = rowsByValue(column);
  if (clients > names.length) {
    throw new CoppiceError(
      'config-invalid',
      `The column has ${names.length} values, too few for ${clients} participants: the rows of one value stay together.`,
    );
  }
  const order = Uint32Array.from(names.keys());
  if (clients < names.length) shuffle(order, random);
  return evenParts(order, clients).map((values) =>
    concat([...values].map((value) => Uint32Array.from(rows[value] as number[]))),
  );
}
