/** The first failure of any part, as a rejection that every wait races against. */
export class Failure {
  readonly #listeners = new Set<(error: Error) => void>();
  #error: Error | null = null;

  /** @param interruption makes the error of an abort. */
  constructor(signal: AbortSignal, interruption: () => Error) {
    const interrupted = () => this.report(interruption());
    if (signal.aborted) interrupted();
    else signal.addEventListener('abort', interrupted);
  }

  report = (error: Error): void => {
    this.#error ??= error;
    for (const listener of this.#listeners) listener(this.#error);
  };

  /** Resolves as `promise`, unless something fails first. */
  beside<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#error !== null) reject(this.#error);
      this.#listeners.add(reject);
      promise.then(resolve, reject).finally(() => this.#listeners.delete(reject));
    });
  }
}
