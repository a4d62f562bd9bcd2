import { CoppiceError, type WireError } from '@coppice/protocol';
import { signal } from '@preact/signals';

/** What went wrong with something the page was to do, until it is put away or has gone well. */
export const problem = signal<WireError | null>(null);

/** What the problem came from: the same going well solves it, and nothing else does. */
let from: string | null = null;

/**
 * Does what the person asked for; a failure becomes a card on the page, never silence.
 *
 * @param what Names the work. A problem goes when work of its name goes well, so that a question asked
 *   again by itself in every round clears no problem with the examples.
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

/**
 * `attempt` for what the person is waiting for right now: a new card comes into view, which is above
 * everything, wherever on the page the button was.
 */
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
