/**
 * Work over all parameters of a model, in slices: each `next` runs one slice, and the last returns the result. The
 * caller decides what runs between slices; the result is the same, to the bit.
 */
export type Steps<T> = Generator<undefined, T, undefined>;

/** Parameters in one slice: about a millisecond of work. */
export const STEP_PARAMETERS = 1 << 18;

/**
 * Gives work up, in slices as well: what was done is undone until the steps end. A generator whose `return` alone is
 * called stops at its next pause, with part of its work still done.
 */
export function* giveUp(steps: Steps<unknown>): Steps<void> {
  // The value of a generator that is given up is never read.
  for (let step = steps.return(undefined); step.done !== true; step = steps.next()) yield;
}

/** Runs all slices without a pause. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}
