import { seededRandom } from '@coppice/ports';
import type { DataSchema } from '@coppice/protocol';
import { datasetOf } from './dataset-of.ts';
import { type Block, checkExamples, joinBlocks, summarize, without } from './examples.ts';
import type { DataSummary, LocalData, RawExamples, Source } from './local-data.ts';
import { type Marking, newMarks } from './marks.ts';

/**
 * Local data in memory, for headless clients and tests.
 *
 * @param marking left out, ids follow from the number of examples that were added before, and no time is known: what
 *   is computed from them repeats.
 */
export function memoryData(
  schema: DataSchema,
  initial?: RawExamples,
  marking: Marking = { random: seededRandom('examples'), now: () => null },
): LocalData {
  let blocks: Block[] = [];
  const listeners = new Set<(summary: DataSummary) => void>();
  const keep = (examples: RawExamples, source: Source) => {
    checkExamples(examples, schema);
    if (examples.count > 0) blocks.push({ ...examples, source, ...newMarks(examples.count, marking) });
  };
  if (initial !== undefined) keep(initial, 'sample');
  const changed = (): DataSummary => {
    const summary = summarize(blocks, schema);
    for (const listener of listeners) listener(summary);
    return summary;
  };
  return {
    async add({ count, features, labels }, source) {
      keep({ count, features: features.slice(), labels: labels.slice() }, source);
      return changed();
    },
    summary: async () => summarize(blocks, schema),
    examples: async () => joinBlocks(blocks, schema),
    dataset: async () => datasetOf(blocks, schema),
    async clear(which) {
      blocks = which === undefined ? [] : blocks.filter((block) => block.source !== which);
      return changed();
    },
    async remove(ids) {
      const gone = new Set(ids);
      blocks = blocks.flatMap((block) => without(block, gone) ?? []);
      return changed();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      listeners.clear();
    },
  };
}
