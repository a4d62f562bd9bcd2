import type { Activity } from '@coppice/participant';
import { LONGEST_PAUSE } from '@coppice/protocol';
import { computed, effect, signal } from '@preact/signals';
import { tab } from '../link/one-tab.ts';
import { session } from '../link/session.ts';

/*
 * The page's own files are kept by a service worker, so that it opens without the coordinator. A newer
 * version of them waits until the person says so, and then until no work of a round can be lost by it.
 */
let registration: ServiceWorkerRegistration | null = null;
const waiting = signal<ServiceWorker | null>(null);
const wanted = signal(false);

/** `ready`: a newer version waits. `after-round`: requested, and installed once this device's work is sent. */
export const update = computed<'none' | 'ready' | 'after-round'>(() => {
  if (waiting.value === null || tab.value !== 'ours') return 'none';
  return wanted.value ? 'after-round' : 'ready';
});

export function takeUpdate(): void {
  wanted.value = true;
}

/** Checks that a reload would lose work in progress. */
export function isAtWork({ kind }: Activity): boolean {
  return ['receiving', 'preparing', 'evaluating', 'training', 'sending'].includes(kind);
}

/** Registers the service worker, and checks for a newer page whenever the coordinator was unreachable. */
export async function keepForOffline(): Promise<void> {
  // Missing without a secure context; the page then opens only while the coordinator is there.
  if (!('serviceWorker' in navigator)) return;
  const found = await navigator.serviceWorker.register('/sw.js');
  registration = found;
  const look = () => {
    // Without one at work before it, nothing waits: the first is taken into use at once.
    waiting.value = found.active === null ? null : found.waiting;
  };
  look();
  found.addEventListener('updatefound', () => {
    const { installing } = found;
    let whole = false;
    installing?.addEventListener('statechange', () => {
      if (installing.state === 'installed') whole = true;
      // Its files could not all be fetched: the coordinator was going, or is coming.
      if (installing.state === 'redundant' && !whole) lookAgain();
      look();
    });
  });
  // A tab that keeps the old page would ask for files that are gone.
  navigator.serviceWorker.addEventListener('controllerchange', () => location.reload());

  let pause: ReturnType<typeof setTimeout> | undefined;
  const lookAgain = () => {
    clearTimeout(pause);
    pause = setTimeout(() => found.update().catch(lookAgain), LONGEST_PAUSE);
  };
  let wasAway = false;
  effect(() => {
    const connection = session.connection.value;
    // A new page mostly comes with a restart; a page that is refused needs a newer one.
    if (connection === 'refused' || (connection === 'online' && wasAway)) found.update().catch(lookAgain);
    wasAway = connection === 'offline';
  });
  effect(() => {
    if (wanted.value && waiting.value !== null && !isAtWork(session.activity.value)) activate(waiting.value);
  });
}

/** Reloads with the newest version of the page. */
export async function reload(): Promise<void> {
  // The kept page would be the same old one again.
  await registration?.update().catch(() => {});
  const newer = registration?.installing ?? registration?.waiting ?? null;
  if (newer === null) location.reload();
  else activate(newer);
}

function activate(worker: ServiceWorker): void {
  const go = () => {
    if (worker.state === 'installed') worker.postMessage({ type: 'SKIP_WAITING' });
    else if (worker.state === 'activated' || worker.state === 'redundant') location.reload();
  };
  worker.addEventListener('statechange', go);
  go();
}
