import { type KeptInput, type KeptInputs, MAX_INPUT_BYTES } from './kept-inputs.ts';

/** Inputs kept in memory, for headless clients and tests. @param most bytes of one task. */
export function memoryInputs(most = MAX_INPUT_BYTES): KeptInputs {
  const tasks = new Map<string, Map<string, KeptInput>>();
  const of = (task: string) => tasks.get(task) ?? new Map<string, KeptInput>();
  return {
    async add(task, inputs) {
      const kept = of(task);
      tasks.set(task, kept);
      for (const { id, at, example } of inputs) kept.set(id, { id, at, example: example.slice() });
      let bytes = [...kept.values()].reduce((sum, { example }) => sum + example.byteLength, 0);
      for (const { id, example } of [...kept.values()].sort((a, b) => a.at - b.at)) {
        if (bytes <= most) break;
        kept.delete(id);
        bytes -= example.byteLength;
      }
    },
    async take(task, id) {
      const input = of(task).get(id) ?? null;
      of(task).delete(id);
      return input;
    },
    async expire(task, before) {
      for (const { id, at } of of(task).values()) if (at < before) of(task).delete(id);
    },
    remove: async (task) => void tasks.delete(task),
  };
}
