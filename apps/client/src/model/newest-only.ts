/**
 * Runs one piece of work at a time and, of the requests meanwhile, only the newest: while someone draws, only the last
 * drawing matters.
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
