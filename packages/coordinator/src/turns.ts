import type { Steps } from '@coppice/federation';

/** Resolves after one turn of the event loop, so that other work can run. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Runs work with one slice a turn: the event loop is blocked for no longer than a slice. */
export async function inTurns<T>(steps: Steps<T>, turn: () => Promise<void> = nextTurn): Promise<T> {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    await turn();
  }
}
