/** When the page can take more. Replaceable, for tests. */
export interface Beat {
  /** Milliseconds, from any beginning. */
  now(): number;
  /** Calls back when what was changed last can be seen, or soon after where nobody looks. */
  shown(then: () => void): void;
  after(milliseconds: number, then: () => void): void;
}

/** Changes are shown at most so often, in milliseconds: faster than anyone reads. */
const LEAST = 100;
/** A page in the background draws nothing; it goes on all the same. */
const UNSEEN = 1000;

/**
 * Collects changes, and makes them together: the first at once, those that come meanwhile when the page has shown it and
 * has rested for as long as that took. However fast they come, half of its time is free for who presses a button.
 *
 * @param make makes all changes collected, in their order.
 * @returns takes a change; with `now`, it and those before it are made at once: somebody waits for an answer.
 */
export function inBatches<C>(
  make: (changes: readonly C[]) => void,
  beat: Beat = ofTheBrowser,
): (change: C, now?: boolean) => void {
  let waiting: C[] = [];
  let busy = false;

  const makeAll = () => {
    const changes = waiting;
    waiting = [];
    make(changes);
  };
  const begin = () => {
    busy = true;
    const began = beat.now();
    makeAll();
    beat.shown(() => {
      beat.after(Math.max(LEAST, beat.now() - began), () => {
        busy = false;
        if (waiting.length > 0) begin();
      });
    });
  };
  return (change, now = false) => {
    waiting.push(change);
    if (!busy) begin();
    else if (now) makeAll();
  };
}

const ofTheBrowser: Beat = {
  now: () => performance.now(),
  shown(then) {
    let told = false;
    const tell = () => {
      if (told) return;
      told = true;
      then();
    };
    // A timer after the frame's own work: the frame has been drawn by then.
    requestAnimationFrame(() => setTimeout(tell));
    setTimeout(tell, UNSEEN);
  },
  after: (milliseconds, then) => void setTimeout(then, milliseconds),
};
