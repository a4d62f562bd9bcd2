import { normaliseFeatures } from '@coppice/datasets';
import { type DataSchema, exampleSize } from '@coppice/protocol';
import type { Dataset } from '@coppice/training';
import type { Block } from './examples.ts';

/** All blocks, one after the other, as the model takes them. */
export function datasetOf(blocks: readonly Block[], schema: DataSchema): Dataset {
  const count = blocks.reduce((sum, block) => sum + block.count, 0);
  const size = exampleSize(schema);
  const xs = new Float32Array(count * size);
  const ys = new Float32Array(count);
  let at = 0;
  for (const block of blocks) {
    xs.set(normaliseFeatures(block.features, schema), at * size);
    ys.set(block.labels, at);
    at += block.count;
  }
  return { count, xs, ys };
}
