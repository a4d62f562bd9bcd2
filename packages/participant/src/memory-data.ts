import type { DataSchema } from '@coppice/protocol';
import { datasetOf } from './dataset-of.ts';
import { type Block, checkExamples, joinBlocks, summarize } from './examples.ts';
import type { DataSummary, LocalData, RawExamples } from './local-data.ts';

/** Local data in memory, for headless clients and tests. */
export function memoryData(schema: DataSchema, initial?: RawExamples): LocalData {
  let blocks: Block[] = [];
  const listeners = new Set<(summary: DataSummary) => void>();
  if (initial !== undefined) {
    checkExamples(initial, schema);
    blocks.push({ ...initial, source: 'sample' });
  }
  const changed = (): DataSummary => {
    const summary = summarize(blocks, schema);
    for (const listener of listeners) listener(summary);
    return summary;
  };
  return {
    async add(examples, source) {
      checkExamples(examples, schema);
      if (examples.count > 0)
        blocks.push({
          count: examples.count,
          features: examples.features.slice(),
          labels: examples.labels.slice(),
          source,
        });
      return changed();
    },
    summary: async () => summarize(blocks, schema),
    examples: async () => joinBlocks(blocks, schema),
    dataset: async () => datasetOf(blocks, schema),
    async clear(source) {
      blocks = source === undefined ? [] : blocks.filter((block) => block.source !== source);
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
