/**
 * Runs everything that waits on the event loop, then goes on. `setTimeout` would do, but browsers delay it by 4 ms, and
 * much longer in a background tab.
 */
export function yieldToEventLoop(): Promise<void> {
  if (typeof setImmediate === 'function') return new Promise((resolve) => setImmediate(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** Longest stretch of arithmetic without a yield, milliseconds: one frame of a 60 Hz screen. */
const SLICE = 16;

/** Yields to the event loop when a slice of time is used up. */
export class Slices {
  #began = performance.now();

  /** True where `rest` would yield now. */
  get due(): boolean {
    return performance.now() - this.#began >= SLICE;
  }

  async rest(): Promise<void> {
    if (!this.due) return;
    await yieldToEventLoop();
    this.#began = performance.now();
  }
}
