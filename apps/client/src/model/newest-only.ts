/**
 * Runs one piece of work at a time and, of what was asked for meanwhile, only the newest: while someone
 * draws, the question that matters is the last one.
 */
export function newestOnly(work: () => Promise<void>): () => void {
  let running = false;
  let again = false;
  const run = async () => {
    running = true;
    do {
      again = false;
      await work();
    } while (again);
    running = false;
  };
  return () => {
    if (running) again = true;
    else void run();
  };
}
