import type { Steps } from '@coppice/federation';

/** Lets everyone else have their turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Does work a piece a turn: the event loop is kept for no longer than a piece takes. */
export async function inTurns<T>(steps: Steps<T>, turn: () => Promise<void> = nextTurn): Promise<T> {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    await turn();
  }
}
