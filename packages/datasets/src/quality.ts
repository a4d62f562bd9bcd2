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
  // A table of the first examples of each content, half empty at least: an example is looked for from its hash on.
  const slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * count + 1))).fill(-1);
  const mask = slots.length - 1;
  const bytes = new Uint8Array(features.buffer, features.byteOffset, features.byteLength);
  const width = size * features.BYTES_PER_ELEMENT;
  const same = (one: number, other: number) => {
    for (let at = 0; at < targets; at++) {
      if (labels[one * targets + at] !== labels[other * targets + at]) return false;
    }
    for (let at = 0; at < size; at++) {
      if (features[one * size + at] !== features[other * size + at]) return false;
    }
    return true;
  };
  let copies = 0;
  for (let i = 0; i < count; i++) {
    let slot = hash(bytes, i * width, (i + 1) * width) & mask;
    while ((slots[slot] as number) >= 0 && !same(slots[slot] as number, i)) slot = (slot + 1) & mask;
    if ((slots[slot] as number) >= 0) copies++;
    else slots[slot] = i;
  }
  return copies > 0 ? [{ kind: 'duplicates', count: copies }] : [];
}

/** FNV-1a over bytes, its high bits folded into the low ones. */
function hash(bytes: Uint8Array, start: number, end: number): number {
  let h = 0x811c9dc5;
  for (let at = start; at < end; at++) h = Math.imul(h ^ (bytes[at] as number), 0x01000193);
  return (h ^ (h >>> 15)) >>> 0;
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
