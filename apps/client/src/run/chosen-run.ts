import { MAX_WATCHED_RUNS, RunIdSchema, type RunSummary } from '@coppice/protocol';

const openStates = { running: 0, paused: 1, created: 2 } as const;

export function isOpen(run: Pick<RunSummary, 'status'>): boolean {
  return run.status in openStates;
}

/** Those that can be joined: running first, then newest first, as the coordinator lists them. */
export function openRuns(runs: readonly RunSummary[]): readonly RunSummary[] {
  const rank = (run: RunSummary) => openStates[run.status as keyof typeof openStates];
  return runs.filter(isOpen).toSorted((a, b) => rank(a) - rank(b));
}

/**
 * The run that the page is about: the one taken part in; else the one picked on the page; else the one
 * that the link names; else the first that is open; else the one seen here last, for its model. A link to a run that is gone names none.
 */
export function chooseRun(
  runs: readonly RunSummary[],
  wishes: { joined: string | null; picked: string | null; linked: string | null; seen?: string | null },
): RunSummary | null {
  for (const wish of [wishes.joined, wishes.picked, wishes.linked]) {
    const run = runs.find(({ id }) => id === wish);
    if (run !== undefined) return run;
  }
  return openRuns(runs)[0] ?? runs.find(({ id }) => id === wishes.seen) ?? null;
}

/**
 * The runs that the page shows or may turn to: those that its wishes name, over or not, then those that can be joined. The
 * coordinator tells of others only when they come or end.
 */
export function runsToWatch(
  wishes: readonly (string | null | undefined)[],
  open: readonly RunSummary[],
): readonly string[] {
  // A link may name anything.
  const named = wishes.filter((id) => id != null && RunIdSchema.safeParse(id).success) as string[];
  return [...new Set([...named, ...open.map(({ id }) => id)])].slice(0, MAX_WATCHED_RUNS).sort();
}

/** The run that the page's address names. */
export function linkedRun(search: string): string | null {
  return new URLSearchParams(search).get('run');
}
