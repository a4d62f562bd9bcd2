import { signal } from '@preact/signals';

/** What the page shows, as its address says after the `#`: every view can be linked to. */
export type Route =
  | { readonly view: 'run'; readonly run: string | null }
  | { readonly view: 'launch'; readonly task: string | null; readonly from: string | null }
  | { readonly view: 'task' }
  | { readonly view: 'compare'; readonly runs: readonly string[] };

export function readRoute(hash: string): Route {
  const words = new URLSearchParams(hash.replace(/^#/, ''));
  if (words.has('launch')) {
    return { view: 'launch', task: words.get('launch') || null, from: words.get('from') };
  }
  if (words.has('task')) return { view: 'task' };
  if (words.has('compare')) {
    return { view: 'compare', runs: (words.get('compare') ?? '').split(',').filter((id) => id !== '') };
  }
  return { view: 'run', run: words.get('run') || null };
}

export function runAddress(id: string): string {
  return `#run=${encodeURIComponent(id)}`;
}

export function compareAddress(runs: readonly string[]): string {
  return runs.length === 0 ? '#compare' : `#compare=${runs.map(encodeURIComponent).join(',')}`;
}

export const route = signal<Route>(readRoute(globalThis.location?.hash ?? ''));

/** Follows the address bar. Call once at the start of the page. */
export function watchRoute(): void {
  addEventListener('hashchange', () => {
    route.value = readRoute(location.hash);
  });
}

export function go(address: string): void {
  location.hash = address;
}
