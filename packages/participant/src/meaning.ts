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
  /** The names of several numbers, as many as an example has labels; left out: it has one label. */
  readonly columns?: readonly string[];
}

/** A stored block with what its numbers meant when they were added. */
export interface MeantBlock extends Block {
  /** Left out by earlier versions: the meaning of the task at the first opening since. */
  readonly meaning?: Meaning;
}

/** The numbers that are stored as the labels of one example. */
export function labelCount({ target }: Meaning): number {
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
  const { name, classes, columns = null } = meaning.target;
  const target = [name, classes, columns];
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
  const labelled = labelsIn(from.target, to.target);
  const columns = columnsIn(from, to);
  if (labelled === null || columns === null) return null;
  const rows: number[] = [];
  for (let row = 0; row < block.count; row++) {
    if (hasForm(block.features, row, columns) && hasForm(block.labels, row, labelled)) rows.push(row);
  }
  if (rows.length === 0) return null;
  const features = emptyLike(block.features, rows.length * columns.readers.length);
  const labels = emptyLike(block.labels, rows.length * labelled.readers.length);
  for (const [to, row] of rows.entries()) {
    readInto(features, to, block.features, row, columns);
    readInto(labels, to, block.labels, row, labelled);
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

function hasForm(stored: ArrayLike<number>, row: number, { width, readers }: Columns): boolean {
  return readers.every(({ place, read }) => read(stored[row * width + place] as number) !== null);
}

function readInto(
  values: Uint8Array | Float32Array | Float64Array,
  to: number,
  stored: ArrayLike<number>,
  row: number,
  { width, readers }: Columns,
): void {
  for (const [at, { place, read }] of readers.entries())
    values[to * readers.length + at] = read(stored[row * width + place] as number) as number;
}

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

/** `null` where no label has a form in the new target. */
function labelsIn(from: Target, to: Target): Columns | null {
  if (from.columns === undefined && to.columns === undefined) {
    const read = relabel(from, to);
    return read === null ? null : { width: 1, readers: [{ place: 0, read }] };
  }
  const { columns = [] } = from;
  const places = (to.columns ?? []).map((name) => columns.indexOf(name));
  if (places.length === 0 || places.includes(-1)) return null;
  return { width: columns.length, readers: places.map((place) => ({ place, read: asIs })) };
}

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
