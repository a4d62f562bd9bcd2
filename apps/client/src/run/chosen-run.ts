import { MAX_WATCHED_RUNS, RunIdSchema, type RunSummary } from '@coppice/protocol';

const openStates = { running: 0, paused: 1, created: 2 } as const;

export function isOpen(run: Pick<RunSummary, 'status'>): boolean {
  return run.status in openStates;
}

/** Runs that can be joined: running first, then newest first, as the coordinator lists them. */
export function openRuns(runs: readonly RunSummary[]): readonly RunSummary[] {
  const rank = (run: RunSummary) => openStates[run.status as keyof typeof openStates];
  return runs.filter(isOpen).toSorted((a, b) => rank(a) - rank(b));
}

/**
 * Chooses the page's run: the joined one; otherwise the one picked on the page; otherwise the one in the link;
 * otherwise the first open one; otherwise the last one seen here, for its model. A link to an unknown run is ignored.
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
 * Runs that the page shows or may switch to: the chosen ones, over or not, then those that can be joined. Of others,
 * the coordinator reports only their start and end.
 */
export function runsToWatch(
  wishes: readonly (string | null | undefined)[],
  open: readonly RunSummary[],
): readonly string[] {
  // A link may name anything.
  const named = wishes.filter((id) => id != null && RunIdSchema.safeParse(id).success) as string[];
  return [...new Set([...named, ...open.map(({ id }) => id)])].slice(0, MAX_WATCHED_RUNS).sort();
}

/** The run in the page's address. */
export function linkedRun(search: string): string | null {
  return new URLSearchParams(search).get('run');
}
