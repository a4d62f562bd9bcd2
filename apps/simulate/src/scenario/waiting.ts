import { CoppiceError } from '@coppice/protocol';

/** Milliseconds after which something that should come is given up. */
const LONGEST = 600_000;

/** Milliseconds between two looks at what nothing tells of. */
const PAUSE = 10;

/** What tells of its changes. */
interface Subject {
  subscribe(changed: () => void): () => void;
}

/**
 * Resolves when something holds of a subject that tells of its changes.
 *
 * @param holds throws where it will never hold.
 * @throws CoppiceError `connection-lost` where it does not hold in ten minutes.
 */
export function until(subject: Subject, what: string, holds: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let end = () => {};
    const look = () => {
      try {
        if (!holds()) return;
        end();
        resolve();
      } catch (thrown) {
        end();
        reject(thrown);
      }
    };
    const timer = setTimeout(() => {
      end();
      reject(inVain(what));
    }, LONGEST);
    const stop = subject.subscribe(look);
    end = () => {
      stop();
      clearTimeout(timer);
    };
    look();
  });
}

/** Reads again until what was read is as wanted: for the state of a coordinator that nothing tells of. @throws as `until`. */
export async function readUntil<T>(
  what: string,
  read: () => Promise<T>,
  wanted: (value: T) => boolean,
): Promise<T> {
  const began = performance.now();
  for (;;) {
    const value = await read();
    if (wanted(value)) return value;
    if (performance.now() - began > LONGEST) throw inVain(what);
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

function inVain(what: string): CoppiceError {
  return new CoppiceError(
    'connection-lost',
    `The scenario waited for ten minutes in vain until ${what}. Run it again.`,
  );
}
