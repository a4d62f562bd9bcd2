const events = ['uncaughtException', 'unhandledRejection'] as const;

type Listeners = (event: string) => ((...args: unknown[]) => void)[];

/**
 * Runs `start` and removes the handlers that it installed on Node's process. Emscripten's start-up code installs some
 * that rethrow every uncaught error of the whole program from within tfjs.
 */
export async function withoutProcessHandlers<T>(start: () => Promise<T>): Promise<T> {
  const host = typeof process === 'object' && typeof process.listeners === 'function' ? process : null;
  const listeners = (host?.listeners.bind(host) ?? (() => [])) as Listeners;
  const before = new Set(events.flatMap((event) => listeners(event)));
  try {
    return await start();
  } finally {
    for (const event of events) {
      for (const added of listeners(event)) if (!before.has(added)) host?.off(event, added);
    }
  }
}
