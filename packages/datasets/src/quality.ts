import { classesOf, type DataSchema } from '@coppice/protocol';
import { categoryNames } from './categories.ts';
import type { RawExamples } from './examples.ts';

/** A property of a participant's own data that may harm training. Found and shown on the device only. */
export type QualityFinding =
  /** Examples that are exact copies of earlier ones. */
  | { readonly kind: 'duplicates'; readonly count: number }
  /** A class with too few examples to learn from, possibly none. */
  | { readonly kind: 'tiny-class'; readonly name: string; readonly count: number }
  /** The largest class has `ratio` times the examples of the smallest that has any. */
  | {
      readonly kind: 'imbalance';
      readonly largest: string;
      readonly smallest: string;
      readonly ratio: number;
    }
  /** A column with a single value, which tells the model nothing. */
  | { readonly kind: 'constant-column'; readonly name: string; readonly value: number | string }
  /** A column of categories in which more than half of the examples have a value that the task does not list. */
  | { readonly kind: 'mostly-unlisted'; readonly name: string; readonly count: number };

/** Number of examples below which a class is tiny. */
const TINY = 5;

/** Ratio of largest to smallest class from which a model tends to forget the smallest. */
const IMBALANCE = 10;

export function checkQuality(examples: RawExamples, schema: DataSchema): QualityFinding[] {
  if (examples.count === 0) return [];
  return [
    ...duplicates(examples),
    ...classFindings(examples, schema),
    ...constantColumns(examples, schema),
    ...unlistedCategories(examples, schema),
  ];
}

function duplicates({ count, features, labels }: RawExamples): QualityFinding[] {
  const size = features.length / count;
  const targets = labels.length / count;
  const seen = new Map<string, number[]>();
  let copies = 0;
  for (let i = 0; i < count; i++) {
    const row = features.subarray(i * size, (i + 1) * size);
    const key = `${labels.subarray(i * targets, (i + 1) * targets).join()}/${hash(row)}`;
    const others = seen.get(key) ?? [];
    // A hash only narrows it down: what counts is that all values are the same.
    const isCopy = others.some((other) => row.every((value, j) => value === features[other * size + j]));
    if (isCopy) copies++;
    else seen.set(key, [...others, i]);
  }
  return copies > 0 ? [{ kind: 'duplicates', count: copies }] : [];
}

/** FNV-1a over the values' bytes. */
function hash(row: Uint8Array | Float32Array | Float64Array): number {
  let h = 0x811c9dc5;
  for (const byte of new Uint8Array(row.buffer, row.byteOffset, row.byteLength)) {
    h = Math.imul(h ^ byte, 0x01000193);
  }
  return h >>> 0;
}

function classFindings({ labels }: RawExamples, schema: DataSchema): QualityFinding[] {
  const classes = classesOf(schema);
  if (!classes) return [];
  const counts = classes.map((name) => ({ name, count: 0 }));
  for (const label of labels) {
    const entry = counts[label];
    if (entry) entry.count++;
  }
  const findings: QualityFinding[] = counts
    .filter(({ count }) => count < TINY)
    .map(({ name, count }) => ({ kind: 'tiny-class', name, count }));
  const present = counts.filter(({ count }) => count > 0).sort((a, b) => a.count - b.count);
  const smallest = present[0];
  const largest = present.at(-1);
  if (smallest && largest && largest.count / smallest.count >= IMBALANCE) {
    findings.push({
      kind: 'imbalance',
      largest: largest.name,
      smallest: smallest.name,
      ratio: largest.count / smallest.count,
    });
  }
  return findings;
}

function constantColumns({ count, features }: RawExamples, schema: DataSchema): QualityFinding[] {
  // Pixels at a picture's border are often constant, and one row is always: neither says anything.
  if (schema.kind !== 'table' || count < 2) return [];
  const width = schema.features.length;
  return schema.features.flatMap((feature, column): QualityFinding[] => {
    const value = features[column] as number;
    for (let i = 1; i < count; i++) if (features[i * width + column] !== value) return [];
    const shown = feature.kind === 'category' ? categoryNames(feature)(value) : value;
    return [{ kind: 'constant-column', name: feature.name, value: shown }];
  });
}

function unlistedCategories({ count, features }: RawExamples, schema: DataSchema): QualityFinding[] {
  if (schema.kind !== 'table') return [];
  const width = schema.features.length;
  return schema.features.flatMap((feature, column): QualityFinding[] => {
    if (feature.kind !== 'category') return [];
    let unlisted = 0;
    for (let i = 0; i < count; i++) if (features[i * width + column] === feature.values.length) unlisted++;
    return 2 * unlisted > count ? [{ kind: 'mostly-unlisted', name: feature.name, count: unlisted }] : [];
  });
}
