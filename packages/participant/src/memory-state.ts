import type { KeptAnswer, LocalState, Version } from './local-state.ts';
import type { Kept } from './train.ts';

interface Entry {
  readonly version: Version;
  readonly kept: Kept;
  readonly answer: KeptAnswer | null;
}

/** All of a state, by run and ticket. */
export type StateSnapshot = ReadonlyMap<string, ReadonlyMap<string, Entry>>;

/** Local state in memory. */
export interface MemoryState extends LocalState {
  /** All that is kept, for those that store it elsewhere. Not a copy. */
  snapshot(): StateSnapshot;
}

/**
 * Local state in memory, for headless clients and tests.
 *
 * @param initial the snapshot of an earlier one, to go on from.
 */
export function memoryState(initial: StateSnapshot = new Map()): MemoryState {
  const runs = new Map([...initial].map(([run, entries]) => [run, new Map(entries)]));
  const entry = (run: string, ticket: string) => runs.get(run)?.get(ticket) ?? null;
  const removeEmpty = (run: string) => {
    if (runs.get(run)?.size === 0) runs.delete(run);
  };
  return {
    versions: async (run) => [...(runs.get(run)?.values() ?? [])].map(({ version }) => version),
    kept: async (run, ticket) => entry(run, ticket)?.kept ?? null,
    answer: async (run, ticket) => entry(run, ticket)?.answer ?? null,
    async stage(run, version, { kept, answer }, replaces = []) {
      const entries = runs.get(run) ?? new Map<string, Entry>();
      for (const ticket of replaces) entries.delete(ticket);
      const content = structuredClone({ kept, answer });
      entries.set(version.ticket, { version: { ...version, counted: false }, ...content });
      runs.set(run, entries);
    },
    async settle(run, verdicts) {
      const entries = runs.get(run);
      for (const [ticket, counted] of verdicts) {
        const known = entries?.get(ticket);
        if (entries === undefined || known === undefined) continue;
        if (counted === false) entries.delete(ticket);
        else {
          const version = { ...known.version, counted: counted === true };
          entries.set(ticket, { ...known, version, answer: counted === true ? null : known.answer });
        }
      }
      removeEmpty(run);
    },
    runs: async () => [...runs.keys()],
    forget: async (run) => void runs.delete(run),
    snapshot: () => runs,
  };
}
