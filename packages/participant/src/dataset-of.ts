import { trainerExamples } from '@coppice/datasets';
import type { DataSchema } from '@coppice/protocol';
import { type Block, joinBlocks } from './examples.ts';
import type { OwnDataset } from './local-data.ts';

/** Concatenates blocks into a trainer's dataset. */
export function datasetOf(blocks: readonly Block[], schema: DataSchema): OwnDataset {
  const [only, ...more] = blocks;
  const own = only !== undefined && more.length === 0 ? only : joinBlocks(blocks, schema);
  const { ids, times } = own;
  return { ...trainerExamples(own, schema), ids, times };
}
