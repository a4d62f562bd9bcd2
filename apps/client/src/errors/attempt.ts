import { CoppiceError, type WireError } from '@coppice/protocol';
import { signal } from '@preact/signals';

/** The error of the last failed action, until it is dismissed or the action succeeds. */
export const problem = signal<WireError | null>(null);

/** Name of the failed action, whose success alone clears the problem. */
let from: string | null = null;

/**
 * Runs an action of the person; a failure becomes a card on the page, never silence.
 *
 * @param what names the action. Its success clears only its own problem, so that a prediction repeated in every round
 *   clears no problem with the examples.
 */
export async function attempt<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    const result = await work();
    if (from === what) {
      from = null;
      problem.value = null;
    }
    return result;
  } catch (thrown) {
    from = what;
    problem.value = CoppiceError.from(thrown).toWire();
    return undefined;
  }
}

/** As `attempt`, for an action that the person is waiting for: a new card, which is above everything, is scrolled into view. */
export async function attemptInView<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
  const before = problem.peek();
  const result = await attempt(what, work);
  if (problem.peek() !== null && problem.peek() !== before) comeIntoView();
  return result;
}

function comeIntoView(): void {
  // Drawn by the next frame.
  requestAnimationFrame(() =>
    requestAnimationFrame(() =>
      document.querySelector('.notices .error-card')?.scrollIntoView({ block: 'nearest' }),
    ),
  );
}
