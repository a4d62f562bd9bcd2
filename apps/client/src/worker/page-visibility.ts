import type { Visibility } from '@coppice/client/session';

/** Whether the page is seen, as it tells its worker. */
export class PageVisibility implements Visibility {
  #isSeen = true;
  readonly #waiting = new Set<() => void>();

  set(isSeen: boolean): void {
    this.#isSeen = isSeen;
    if (isSeen) for (const end of [...this.#waiting]) end();
  }

  seen(signal: AbortSignal): Promise<void> {
    if (this.#isSeen || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        this.#waiting.delete(end);
        signal.removeEventListener('abort', end);
        resolve();
      };
      this.#waiting.add(end);
      signal.addEventListener('abort', end);
    });
  }
}
