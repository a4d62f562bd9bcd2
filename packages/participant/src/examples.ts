import { CoppiceError, classesOf, type DataSchema, exampleSize } from '@coppice/protocol';
import { checkCategories } from './check-categories.ts';
import type { DataSummary, RawExamples, Source } from './local-data.ts';

/** A stored block of examples. */
export interface Block extends RawExamples {
  readonly source: Source;
}

/** @throws CoppiceError `data-invalid`, naming the example and the fault. */
export function checkExamples({ count, features, labels }: RawExamples, schema: DataSchema): void {
  const size = exampleSize(schema);
  if (features.length !== count * size || labels.length !== count) {
    throw new CoppiceError(
      'data-invalid',
      `${count} examples need ${count * size} feature values and ${count} labels; ${features.length} and ${labels.length} came.`,
    );
  }
  if (features instanceof Float32Array) {
    const bad = features.findIndex((value) => !Number.isFinite(value));
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
      ? !Number.isFinite(label)
      : !(Number.isInteger(label) && label >= 0 && label < classes.length),
  );
  if (bad >= 0) {
    throw new CoppiceError(
      'data-invalid',
      classes === null
        ? `Example ${bad + 1} has a target that is not a finite number.`
        : `Example ${bad + 1} has class ${labels[bad]}; the classes are 0 to ${classes.length - 1}.`,
    );
  }
}

/** Concatenates blocks, in the order in which they were added. */
export function joinBlocks(blocks: readonly Block[], schema: DataSchema): RawExamples {
  const count = blocks.reduce((sum, block) => sum + block.count, 0);
  const size = exampleSize(schema);
  const features = schema.kind === 'image' ? new Uint8Array(count * size) : new Float32Array(count * size);
  const labels = new Float32Array(count);
  let at = 0;
  for (const block of blocks) {
    features.set(block.features, at * size);
    labels.set(block.labels, at);
    at += block.count;
  }
  return { count, features, labels };
}

export function summarize(blocks: readonly Block[], schema: DataSchema): DataSummary {
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
  return { count, perClass, bySource, bytes };
}
