import { signal } from '@preact/signals';

const LOCK = 'coppice-participant';

/** `ours`: this tab runs the participant. `elsewhere`: another tab does. */
export const tab = signal<'asking' | 'ours' | 'elsewhere'>('asking');

let waiting: AbortController | null = null;

/**
 * Lets one tab of a browser take part: two would be one participant speaking twice. The first holds a lock; a later one
 * shows a notice, and takes over when the first is closed, or at once on request.
 *
 * @param gained called each time this tab gets the participant.
 * @param lost called when another tab took it.
 */
export function holdTab(gained: () => void, lost: () => void): { takeOver: () => void } {
  // Without a secure context there are no locks; the coordinator's `session-replaced` says the same, later.
  if (navigator.locks === undefined) {
    gained();
    tab.value = 'ours';
    return { takeOver: () => {} };
  }
  const hold = () => {
    // In this order: what watches `tab` may ask the worker at once.
    gained();
    tab.value = 'ours';
    return new Promise<void>(() => {});
  };
  const stolen = () => {
    tab.value = 'elsewhere';
    lost();
    wait();
  };
  const wait = () => {
    waiting = new AbortController();
    let held = false;
    navigator.locks
      .request(LOCK, { signal: waiting.signal }, () => {
        held = true;
        return hold();
      })
      // Given up for taking over at once, or taken by another tab later.
      .catch(() => held && stolen());
  };
  navigator.locks
    .request(LOCK, { ifAvailable: true }, (lock) => {
      if (lock !== null) return hold();
      tab.value = 'elsewhere';
      wait();
      return undefined;
    })
    .catch(stolen);
  return {
    takeOver() {
      waiting?.abort();
      navigator.locks.request(LOCK, { steal: true }, hold).catch(stolen);
    },
  };
}
