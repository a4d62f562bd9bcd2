import { trainerExamples } from '@coppice/datasets';
import type { DataSchema } from '@coppice/protocol';
import type { Dataset } from '@coppice/training';
import { type Block, joinBlocks } from './examples.ts';

/** Concatenates blocks into a trainer's dataset. */
export function datasetOf(blocks: readonly Block[], schema: DataSchema): Dataset {
  const [only, ...more] = blocks;
  return trainerExamples(only !== undefined && more.length === 0 ? only : joinBlocks(blocks, schema), schema);
}
