import type { Ask } from '@coppice/protocol';

/** The question to train that is being answered; there is one at most. */
export class CurrentWork {
  #work: { readonly ask: Ask; readonly abort: AbortController } | null = null;

  /** `null`: none is being answered. */
  get ask(): Ask | null {
    return this.#work?.ask ?? null;
  }

  /** Begins the work on a question, in place of the one before. @returns a signal that is aborted when it is stopped. */
  begin(ask: Ask): AbortSignal {
    this.stop();
    const abort = new AbortController();
    this.#work = { ask, abort };
    return abort.signal;
  }

  /** Stops the work, if there is any. */
  stop(): void {
    this.#work?.abort.abort();
    this.#work = null;
  }

  /** Notes that work has ended by itself, unless other work has begun since. */
  end(signal: AbortSignal): void {
    if (this.#work?.abort.signal === signal) this.#work = null;
  }
}
