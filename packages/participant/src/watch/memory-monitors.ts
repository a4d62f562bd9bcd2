import type { KeptMonitor, KeptMonitors } from './kept-monitors.ts';

/** Monitors kept in memory, for headless clients and tests. */
export function memoryMonitors(): KeptMonitors {
  const kept = new Map<string, KeptMonitor>();
  return {
    get: async (task) => structuredClone(kept.get(task)) ?? null,
    put: async (task, monitor) => void kept.set(task, structuredClone(monitor)),
    remove: async (task) => void kept.delete(task),
  };
}
