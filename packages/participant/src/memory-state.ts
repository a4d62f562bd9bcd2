import type { KeptAnswer, LocalState, Version } from './local-state.ts';
import type { Kept } from './train.ts';

interface Entry {
  readonly version: Version;
  readonly kept: Kept;
  readonly answer: KeptAnswer | null;
}

/** Local state in memory, for headless clients and tests. */
export function memoryState(): LocalState {
  const runs = new Map<string, Map<string, Entry>>();
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
  };
}
