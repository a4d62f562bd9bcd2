/** Whether a page is seen. */
export interface Visibility {
  /** Resolves as soon as the page is seen, or `signal` is aborted. */
  seen(signal: AbortSignal): Promise<void>;
}

/** The visibility of this page; workers, which have no document, count as seen. */
export const pageVisibility: Visibility = {
  seen(signal) {
    const page = globalThis.document as Document | undefined;
    return new Promise((resolve) => {
      const look = () => {
        if (page?.visibilityState === 'hidden' && !signal.aborted) return;
        page?.removeEventListener('visibilitychange', look);
        signal.removeEventListener('abort', look);
        resolve();
      };
      page?.addEventListener('visibilitychange', look);
      signal.addEventListener('abort', look);
      look();
    });
  },
};
