import { emptyLike } from '@coppice/datasets';
import { CoppiceError, classesOf, type DataSchema, exampleSize, targetSize } from '@coppice/protocol';
import { checkCategories } from './check-categories.ts';
import type { DataSummary, Marks, OwnDataset, OwnExamples, RawExamples, Source } from './local-data.ts';
import { exampleIds, ID_BYTES, originOf } from './marks.ts';

/** A stored block of examples, which were added together. */
export interface Block extends RawExamples, Marks {
  readonly source: Source;
}

/** @throws CoppiceError `data-invalid`, naming the example and the fault. */
export function checkExamples({ count, features, labels }: RawExamples, schema: DataSchema): void {
  const size = exampleSize(schema);
  const targets = targetSize(schema);
  if (features.length !== count * size || labels.length !== count * targets) {
    throw new CoppiceError(
      'data-invalid',
      `${count} examples need ${count * size} feature values and ${count * targets} labels; ${features.length} and ${labels.length} came.`,
    );
  }
  if (!(features instanceof Uint8Array)) {
    // Beyond float32 a number becomes infinite on its way into the model.
    const bad = features.findIndex((value) => !Number.isFinite(Math.fround(value)));
    if (bad >= 0)
      throw new CoppiceError(
        'data-invalid',
        `Example ${Math.floor(bad / size) + 1} holds a value that is not a finite number.`,
      );
  }
  checkCategories(features, schema);
  const classes = classesOf(schema);
  const bad = labels.findIndex((label) =>
    classes === null
      ? !Number.isFinite(Math.fround(label))
      : !(Number.isInteger(label) && label >= 0 && label < classes.length),
  );
  if (bad >= 0) {
    throw new CoppiceError(
      'data-invalid',
      classes === null
        ? `Example ${Math.floor(bad / targets) + 1} has a target that is not a finite number.`
        : `Example ${bad + 1} has class ${labels[bad]}; the classes are 0 to ${classes.length - 1}.`,
    );
  }
}

/** Concatenates blocks, in the order in which they were added. */
export function joinBlocks(blocks: readonly Block[], schema: DataSchema): OwnExamples {
  const count = blocks.reduce((sum, block) => sum + block.count, 0);
  const size = exampleSize(schema);
  const exact = (of: 'features' | 'labels') => blocks.some((block) => block[of] instanceof Float64Array);
  const numbers = exact('features') ? new Float64Array(count * size) : new Float32Array(count * size);
  const features = schema.kind === 'image' ? new Uint8Array(count * size) : numbers;
  const targets = targetSize(schema);
  const labels = exact('labels') ? new Float64Array(count * targets) : new Float32Array(count * targets);
  const ids = new Uint8Array(count * ID_BYTES);
  const times = new Float64Array(count);
  const sources: Source[] = [];
  let at = 0;
  for (const block of blocks) {
    features.set(block.features, at * size);
    labels.set(block.labels, at * targets);
    ids.set(block.ids, at * ID_BYTES);
    times.set(block.times, at);
    for (let i = 0; i < block.count; i++) sources.push(block.source);
    at += block.count;
  }
  return { count, features, labels, ids, times, sources, origins: sources.map(originOf) };
}

/** A block without examples; `null` where none is left, the block itself where it has none of them. */
export function without<B extends Block>(block: B, gone: ReadonlySet<string>): B | null {
  const rows = exampleIds(block).flatMap((id, row) => (gone.has(id) ? [] : [row]));
  if (rows.length === block.count) return block;
  if (rows.length === 0) return null;
  return {
    ...block,
    count: rows.length,
    features: rowsOf(block.features, block.features.length / block.count, rows),
    labels: rowsOf(block.labels, block.labels.length / block.count, rows),
    ids: rowsOf(block.ids, ID_BYTES, rows),
    times: rowsOf(block.times, 1, rows),
  };
}

/** A dataset of some of the examples, with their marks. */
export function pickRows({ count, xs, ys, ids, times }: OwnDataset, rows: ArrayLike<number>): OwnDataset {
  return {
    count: rows.length,
    xs: rowsOf(xs, count === 0 ? 0 : xs.length / count, rows),
    ys: rowsOf(ys, count === 0 ? 0 : ys.length / count, rows),
    ids: rowsOf(ids, ID_BYTES, rows),
    times: rowsOf(times, 1, rows),
  };
}

/** A copy of some rows. @param width numbers in a row. */
function rowsOf<T extends Uint8Array | Float32Array | Float64Array>(
  all: T,
  width: number,
  rows: ArrayLike<number>,
): T {
  const some = emptyLike(all, rows.length * width);
  for (let to = 0; to < rows.length; to++) {
    const from = rows[to] as number;
    some.set(all.subarray(from * width, (from + 1) * width), to * width);
  }
  return some;
}

/** @param setAside stored examples beside these, which are not used. */
export function summarize(blocks: readonly Block[], schema: DataSchema, setAside = 0): DataSummary {
  const classes = classesOf(schema);
  const perClass = new Array<number>(classes?.length ?? 0).fill(0);
  const bySource: Partial<Record<Source, number>> = {};
  let count = 0;
  let bytes = 0;
  for (const block of blocks) {
    count += block.count;
    bytes += block.features.byteLength + block.labels.byteLength;
    bySource[block.source] = (bySource[block.source] ?? 0) + block.count;
    if (classes !== null) for (const label of block.labels) perClass[label] = (perClass[label] ?? 0) + 1;
  }
  return { count, perClass, bySource, bytes, setAside };
}
