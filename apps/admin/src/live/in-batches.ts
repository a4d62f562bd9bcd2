/** Timing of the page's rendering. Replaceable for tests. */
export interface Beat {
  /** Milliseconds since an arbitrary moment. */
  now(): number;
  /** Calls back when the last change is rendered, or soon after in a hidden page. */
  shown(then: () => void): void;
  after(milliseconds: number, then: () => void): void;
}

/** Shortest interval between two renderings, in milliseconds: faster than anyone reads. */
const LEAST = 100;
/** Interval in a hidden page, which renders nothing but goes on. */
const UNSEEN = 1000;

/**
 * Batches changes: the first is made at once; later ones when the page has rendered it and has rested for as long as
 * that took. At any rate of changes, half of the page's time is free for input.
 *
 * @param make makes all collected changes, in order.
 * @returns a function that takes a change; with `now`, it and those before it are made at once, since the reader waits
 *   for an answer.
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
