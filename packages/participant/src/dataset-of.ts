import { normaliseFeatures } from '@coppice/datasets';
import type { DataSchema } from '@coppice/protocol';
import type { Dataset } from '@coppice/training';
import { type Block, joinBlocks } from './examples.ts';

/** All blocks, one after the other, as the model takes them. */
export function datasetOf(blocks: readonly Block[], schema: DataSchema): Dataset {
  const { count, features, labels } = joinBlocks(blocks, schema);
  return { count, xs: normaliseFeatures(features, schema), ys: labels };
}
