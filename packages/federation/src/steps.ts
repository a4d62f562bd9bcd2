/**
 * Work over every parameter of a model, cut into pieces: each `next` does one, the last gives the result.
 * Whoever drives it decides what happens in between; the result is the same, to the bit.
 */
export type Steps<T> = Generator<undefined, T, undefined>;

/** So many parameters are one piece: about a millisecond. */
export const STEP_PARAMETERS = 1 << 18;

/** Does all of it at once. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}
