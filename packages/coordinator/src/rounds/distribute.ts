import type { Audience } from './audience.ts';
import type { OpenRound } from './open-round.ts';
import type { RunState } from './run-state.ts';

/** Step 2: the model, encoded once for all that have the same before, to the whole cohort or to members who came back. */
export function distribute(
  open: OpenRound,
  state: RunState,
  {
    audience,
    elapsed,
    to = [...open.cohort.keys()],
  }: { audience: Audience; elapsed: number; to?: readonly string[] },
): void {
  for (const [has, ids] of state.members.byModel(to, open.parent)) {
    audience.send(ids, 'round-start', {
      run: open.run,
      round: open.round,
      attempt: open.attempt,
      checkpoint: open.parent,
      remaining: Math.max(0, open.dueAt - elapsed),
      asked: open.cohort.size,
      ...state.toTrain(has),
    });
  }
}
