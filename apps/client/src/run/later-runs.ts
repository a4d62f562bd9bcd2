import type { RunSummary } from '@coppice/protocol';
import { remembered } from '../link/remembered.ts';

/** By task: the version of the terms under which the person takes part in later runs, too. */
type Terms = Readonly<Record<string, string>>;

/** The form of a version (`termsVersion`). */
const VERSION = /^[0-9a-f]{64}$/;

const kept = remembered<Terms>(
  'later-runs',
  {},
  (value): value is Terms => typeof value === 'object' && value !== null && !Array.isArray(value),
);

/** The version of the terms that the person agreed to for later runs of a task; `null`: for none. */
export function laterTerms(task: string, terms: Terms = kept.value.value): string | null {
  const agreed: unknown = Object.hasOwn(terms, task) ? terms[task] : null;
  // A page from before kept the terms themselves: then the person is asked again.
  return typeof agreed === 'string' && VERSION.test(agreed) ? agreed : null;
}

/** @param terms null: later runs are asked for again. */
export function agreeToLater(task: string, terms: string | null): void {
  const { [task]: _before, ...others } = kept.value.value;
  kept.set(terms === null ? others : { ...others, [task]: terms });
}

/**
 * The run to take part in without being asked: a running one of a task whose later runs the person agreed to.
 *
 * @param taken the run that the person takes part in, or took part in at last; `null`: none.
 * @param terms by run, as far as they are known.
 */
export function runToGoOnWith(
  runs: readonly Pick<RunSummary, 'id' | 'task' | 'status'>[],
  taken: string | null,
  terms: ReadonlyMap<string, string>,
  agreed: (task: string) => string | null,
): string | null {
  if (runs.some(({ id, status }) => id === taken && (status === 'running' || status === 'paused')))
    return null;
  const next = runs.find(({ id, task, status }) => {
    const wanted = agreed(task);
    return id !== taken && status === 'running' && wanted !== null && terms.get(id) === wanted;
  });
  return next?.id ?? null;
}
