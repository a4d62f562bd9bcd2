/**
 * Work over all parameters of a model, in slices: each `next` runs one slice, and the last returns the result. The
 * caller decides what runs between slices; the result is the same, to the bit.
 */
export type Steps<T> = Generator<undefined, T, undefined>;

/** Parameters in one slice: about a millisecond of work. */
export const STEP_PARAMETERS = 1 << 18;

/**
 * Gives work up, in slices as well: what was done is undone by the time the steps end. It is thrown, since `return` ends
 * with the first pause of what it unwinds: generators that wait for another by `yield*` would go on with its result.
 */
export function* giveUp(steps: Steps<unknown>): Steps<void> {
  const given = new Error('the work was given up');
  try {
    for (let step = steps.throw(given); step.done !== true; step = steps.next()) yield;
  } catch (thrown) {
    if (thrown !== given) throw thrown;
  }
}

/**
 * Undoes work, for a `finally`: these steps are done to their end, also where the work is given up meanwhile, which is
 * thrown on after the last.
 */
export function* undo(steps: Steps<void>): Steps<void> {
  let given: { readonly thrown: unknown } | null = null;
  while (steps.next().done !== true) {
    try {
      yield;
    } catch (thrown) {
      given = { thrown };
    }
  }
  if (given !== null) throw given.thrown;
}

/** Runs all slices without a pause. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}
