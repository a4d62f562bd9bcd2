import { standardError } from './output.ts';

/** The exit code of a program whose reader closed the pipe, as a shell reports an end by SIGPIPE: 128 + 13. */
export const READER_GONE = 141;

/** Standard output for a command's results: nothing is lost unnoticed. */
export class Results {
  readonly stream: NodeJS.WriteStream;
  #readerGone = false;
  #trouble: string | null = null;

  /** @param onReaderGone called once, when the reader has closed its end. */
  constructor(onReaderGone: () => void = () => {}, stream: NodeJS.WriteStream = process.stdout) {
    this.stream = stream;
    stream.on('error', ({ code }: NodeJS.ErrnoException) => {
      if (code !== 'EPIPE') {
        this.#trouble ??= code ?? 'unknown';
        return;
      }
      if (this.#readerGone) return;
      this.#readerGone = true;
      onReaderGone();
    });
  }

  get readerGone(): boolean {
    return this.#readerGone;
  }

  write(text: string): void {
    this.stream.write(text);
  }

  /**
   * Waits until everything has been written or refused.
   *
   * @returns the exit code: 0; `READER_GONE`; 1 where the system refused, with its reason on standard error.
   */
  async settled(): Promise<number> {
    await new Promise<void>((resolve) => void this.stream.write('', () => resolve()));
    // A stream tells its `error` after it has called back.
    await new Promise<void>((resolve) => void setImmediate(resolve));
    if (this.#readerGone) return READER_GONE;
    if (this.#trouble === null) return 0;
    standardError.write(
      `Standard output could not be written (${this.#trouble}), so it is incomplete. Make room there, or write it elsewhere, and run the command again.\n`,
    );
    return 1;
  }
}

/** Prints a command's only result. @returns the exit code, as from `Results.settled`. */
export function print(text: string): Promise<number> {
  const results = new Results();
  results.write(text);
  return results.settled();
}

/** Ignores failures of Node's own streams, which carry only warnings of Node and of worker threads. */
export function surviveBrokenStreams(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}
