import type { Audience } from './audience.ts';
import type { OpenRound } from './open-round.ts';

/** Step 2: the weights frame, encoded once, to the whole cohort or to members who came back. */
export function distribute(
  open: OpenRound,
  frame: Uint8Array,
  {
    audience,
    elapsed,
    to = [...open.cohort.keys()],
  }: { audience: Audience; elapsed: number; to?: readonly string[] },
): void {
  audience.send(to, 'round-start', {
    run: open.run,
    round: open.round,
    attempt: open.attempt,
    checkpoint: open.parent,
    remaining: Math.max(0, open.dueAt - elapsed),
    asked: open.cohort.size,
    frame,
  });
}
