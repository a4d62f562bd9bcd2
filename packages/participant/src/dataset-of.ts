import { trainerInputs } from '@coppice/datasets';
import type { DataSchema } from '@coppice/protocol';
import type { Dataset } from '@coppice/training';
import { type Block, joinBlocks } from './examples.ts';

/** Concatenates blocks into a trainer's dataset. */
export function datasetOf(blocks: readonly Block[], schema: DataSchema): Dataset {
  const [only, ...more] = blocks;
  const { count, features, labels } =
    only !== undefined && more.length === 0 ? only : joinBlocks(blocks, schema);
  return { count, xs: trainerInputs(features, schema), ys: labels };
}
