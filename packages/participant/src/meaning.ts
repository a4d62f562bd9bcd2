import { emptyLike } from '@coppice/datasets';
import type { DataSchema } from '@coppice/protocol';
import type { Block } from './examples.ts';

/**
 * The meaning of stored numbers and labels, by name: it stays with the examples, since a task of the same id can be
 * another task later.
 */
export type Meaning =
  | {
      readonly kind: 'image';
      readonly width: number;
      readonly height: number;
      readonly channels: number;
      readonly ink: string;
      readonly target: Target;
    }
  | { readonly kind: 'table'; readonly columns: readonly Column[]; readonly target: Target };

interface Column {
  readonly name: string;
  /** The categories whose indices are stored; `null`: numbers. */
  readonly values: readonly string[] | null;
}

interface Target {
  readonly name: string;
  /** The classes whose indices are stored; `null`: numbers. */
  readonly classes: readonly string[] | null;
  /** The names of several numbers, in their order; left out for one. */
  readonly columns?: readonly string[];
}

/** A stored block with what its numbers meant when they were added. */
export interface MeantBlock extends Block {
  /** Left out by earlier versions: the meaning of the task at the first opening since. */
  readonly meaning?: Meaning;
}

/** The numbers that are stored as the label of one example. */
export function labelsIn({ target }: Meaning): number {
  return target.columns?.length ?? 1;
}

/** The meaning of a task's examples. Scaling, units and plausible ranges change none. */
export function meaningOf(data: DataSchema): Meaning {
  if (data.kind === 'image') {
    const { kind, width, height, channels, ink = 'any', classes } = data;
    return { kind, width, height, channels, ink, target: { name: '', classes } };
  }
  return {
    kind: 'table',
    columns: data.features.map((feature) => ({
      name: feature.name,
      values: feature.kind === 'category' ? feature.values : null,
    })),
    target: {
      name: data.target.name,
      classes: data.target.kind === 'class' ? data.target.classes : null,
      ...(data.target.kind === 'numbers' ? { columns: data.target.columns.map(({ name }) => name) } : {}),
    },
  };
}

/** Whether two meanings are one. */
export function sameMeaning(one: Meaning, other: Meaning): boolean {
  return JSON.stringify(inOrder(one)) === JSON.stringify(inOrder(other));
}

function inOrder(meaning: Meaning): unknown {
  const { name, classes, columns } = meaning.target;
  const target = [name, classes, columns ?? null];
  if (meaning.kind === 'image') {
    const { width, height, channels, ink } = meaning;
    return [width, height, channels, ink, target];
  }
  return [meaning.columns.map(({ name, values }) => [name, values]), target];
}

/**
 * A stored block in the form of another meaning: columns, categories and classes are found by name.
 *
 * @param block examples of the meaning `from`.
 * @returns the block itself where nothing changes; without the examples that have no form in `to`; `null` where none has.
 */
export function inMeaning<B extends Block>(block: B, from: Meaning, to: Meaning): B | null {
  if (sameMeaning(from, to)) return block;
  const labelOf = relabel(from.target, to.target);
  const targets = targetsIn(from.target, to.target);
  const columns = columnsIn(from, to);
  if (labelOf === null || targets === null || columns === null) return null;
  const stored = block.labels.length / block.count;
  const rows: number[] = [];
  for (let row = 0; row < block.count; row++) {
    const at = row * columns.width;
    const fits = columns.readers.every(
      ({ place, read }) => read(block.features[at + place] as number) !== null,
    );
    if (fits && labelOf(block.labels[row * stored] as number) !== null) rows.push(row);
  }
  if (rows.length === 0) return null;
  const features = emptyLike(block.features, rows.length * columns.readers.length);
  const labels = emptyLike(block.labels, rows.length * targets.length);
  for (const [to, row] of rows.entries()) {
    for (const [i, place] of targets.entries())
      labels[to * targets.length + i] = labelOf(block.labels[row * stored + place] as number) as number;
    for (const [column, { place, read }] of columns.readers.entries())
      features[to * columns.readers.length + column] = read(
        block.features[row * columns.width + place] as number,
      ) as number;
  }
  const width = block.ids.length / block.count;
  const ids = new Uint8Array(rows.length * width);
  for (const [to, row] of rows.entries())
    ids.set(block.ids.subarray(row * width, (row + 1) * width), to * width);
  const times = Float64Array.from(rows, (row) => block.times[row] as number);
  return { ...block, count: rows.length, features, labels, ids, times };
}

/** Reads a stored number; `null` where it has no form in the new meaning. */
type Read = (stored: number) => number | null;

interface Columns {
  /** Numbers of a stored example. */
  readonly width: number;
  /** One for each number of the new form: its place in the stored one, and its reading. */
  readonly readers: readonly { readonly place: number; readonly read: Read }[];
}

const asIs: Read = (stored) => stored;

/** `null` where the columns of one cannot be found in the other. */
function columnsIn(from: Meaning, to: Meaning): Columns | null {
  if (from.kind === 'image' || to.kind === 'image') {
    if (from.kind !== 'image' || to.kind !== 'image') return null;
    const same =
      from.width === to.width &&
      from.height === to.height &&
      from.channels === to.channels &&
      from.ink === to.ink;
    const width = from.width * from.height * from.channels;
    return same
      ? { width, readers: Array.from({ length: width }, (_, place) => ({ place, read: asIs })) }
      : null;
  }
  const places = new Map(from.columns.map(({ name }, place) => [name, place]));
  // A name that two columns have names neither.
  if (places.size < from.columns.length) return null;
  const readers: { place: number; read: Read }[] = [];
  for (const { name, values } of to.columns) {
    const place = places.get(name);
    const stored = place === undefined ? undefined : from.columns[place];
    if (place === undefined || stored === undefined) return null;
    const read = recategorise(stored.values, values);
    if (read === null) return null;
    readers.push({ place, read });
  }
  return { width: from.columns.length, readers };
}

function recategorise(from: readonly string[] | null, to: readonly string[] | null): Read | null {
  if (from === null || to === null) return from === to ? asIs : null;
  const places = from.map((value) => to.indexOf(value));
  // Any other value may have been one of those that are new in the list.
  const isAnyOtherStill = to.every((value) => from.includes(value));
  return (stored) => {
    const place = places[stored];
    if (place === undefined) return isAnyOtherStill ? to.length : null;
    return place < 0 ? to.length : place;
  };
}

/** The place of each number of a target among the stored ones; `null` where one cannot be found. */
function targetsIn(from: Target, to: Target): number[] | null {
  if (from.columns === undefined || to.columns === undefined) return from.columns === to.columns ? [0] : null;
  const { columns } = from;
  const places = to.columns.map((name) => columns.indexOf(name));
  return places.includes(-1) ? null : places;
}

/** `null` where no label has a form in the new target. */
function relabel(from: Target, to: Target): Read | null {
  if (from.name !== to.name) return null;
  if (from.classes === null || to.classes === null) return from.classes === to.classes ? asIs : null;
  const { classes } = to;
  const places = from.classes.map((name) => classes.indexOf(name));
  return (stored) => {
    const place = places[stored] ?? -1;
    return place < 0 ? null : place;
  };
}
