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
 * Chooses the page's run: the joined one while it is open; otherwise the one picked on the page; otherwise the one in the
 * link; otherwise the joined one that is over; otherwise the first open one; otherwise the last one seen here, for its
 * model. A link to an unknown run is ignored.
 */
export function chooseRun(
  runs: readonly RunSummary[],
  wishes: { joined: string | null; picked: string | null; linked: string | null; seen?: string | null },
): RunSummary | null {
  const find = (wish: string | null) => runs.find(({ id }) => id === wish);
  const joined = find(wishes.joined);
  const chosen =
    joined !== undefined && isOpen(joined) ? joined : (find(wishes.picked) ?? find(wishes.linked) ?? joined);
  if (chosen !== undefined) return chosen;
  return openRuns(runs)[0] ?? runs.find(({ id }) => id === wishes.seen) ?? null;
}

/** The person's stage with the page's run: out, joining, in, or in a run that is over. */
export type Stage = 'out' | 'joining' | 'in' | 'over';

/**
 * Determines the stage.
 *
 * @param of.joined the joined run; of.ended: whether it was declared over; of.wanted: the run that the person agreed to
 *   take part in. Each `null`: none.
 */
export function stageOf(
  run: Pick<RunSummary, 'id' | 'status'> | null,
  { joined, ended, wanted }: { joined: string | null; ended: boolean; wanted: string | null },
): Stage {
  const isOver = run !== null && !isOpen(run);
  if (joined !== null && (run === null || run.id === joined)) return ended || isOver ? 'over' : 'in';
  // Another run than the joined one is shown: it matters only while that goes on.
  if (joined !== null && !ended) return 'in';
  if (run !== null && wanted === run.id) return 'joining';
  return isOver ? 'over' : 'out';
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
