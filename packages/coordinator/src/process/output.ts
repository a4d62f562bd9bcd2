import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import type { Writable } from 'node:stream';

/** The most bytes that wait for a reader that has stopped reading: 1 MiB. */
const MOST_WAITING = 2 ** 20;
/** Milliseconds before another attempt to write to a reader that has stopped reading. */
const TRY_AGAIN = 100;

/**
 * A side channel of the process: its log, its notices. Writing never throws, never blocks and never retries a refused
 * write; lost lines are counted instead.
 */
export interface Output {
  /** Takes whole lines, each with its line feed. */
  write(text: string): void;
  /** Lines lost since the process began. */
  readonly lost: number;
  /** The system's code for the last failed write, such as `ENOSPC` or `EPIPE`; null once writing works again. */
  readonly trouble: string | null;
}

interface Waiting {
  /** The rest to write, of `size` bytes. */
  readonly bytes: Uint8Array;
  readonly size: number;
  readonly lines: number;
}

/** Writes to a descriptor that answers `EAGAIN` instead of blocking. */
class DescriptorOutput implements Output {
  lost = 0;
  trouble: string | null = null;
  readonly #descriptor: number;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #timer: NodeJS.Timeout | null = null;
  /** True after a truncated line: the next line starts with a line feed. */
  #torn = false;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  write(text: string): void {
    const bytes = Buffer.from(text);
    const next = { bytes, size: bytes.length, lines: linesOf(text) };
    if (this.#waitingBytes + next.bytes.length > MOST_WAITING) this.flush();
    if (this.#waitingBytes + next.bytes.length > MOST_WAITING) {
      this.#lose(next, 'EAGAIN');
      return;
    }
    this.#waiting.push(next);
    this.#waitingBytes += next.bytes.length;
    this.flush();
  }

  /** Writes as much as the system accepts at once. */
  flush(): void {
    while (this.#waiting.length > 0) {
      const next = this.#waiting[0] as Waiting;
      const left = this.#attempt(next);
      this.#waitingBytes -= next.bytes.length - (left?.length ?? 0);
      if (left === null) {
        this.#waiting.shift();
        continue;
      }
      this.#waiting[0] = { ...next, bytes: left };
      this.#timer ??= setTimeout(() => {
        this.#timer = null;
        this.flush();
      }, TRY_AGAIN).unref();
      return;
    }
  }

  /** @returns the bytes that must wait; null where all are written or lost. */
  #attempt(next: Waiting): Uint8Array | null {
    let { bytes } = next;
    try {
      if (this.#torn) writeSync(this.#descriptor, '\n');
      this.#torn = false;
      while (bytes.length > 0) bytes = bytes.subarray(writeSync(this.#descriptor, bytes));
      this.trouble = null;
      return null;
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException;
      if (code === 'EAGAIN') return bytes;
      this.#torn ||= bytes.length < next.size;
      this.#lose(next, code ?? 'unknown');
      return null;
    }
  }

  #lose({ lines }: Waiting, code: string): void {
    this.lost += lines;
    this.trouble = code;
  }
}

/** Writes to a stream of Node's, for sockets, which cannot be opened a second time and on which Node never blocks. */
class StreamOutput implements Output {
  lost = 0;
  trouble: string | null = null;
  readonly #stream: Writable;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on('error', () => {});
  }

  write(text: string): void {
    if (this.#stream.writableLength + text.length > MOST_WAITING) {
      this.#lose(text, 'EAGAIN');
      return;
    }
    this.#stream.write(text, (error?: NodeJS.ErrnoException | null) => {
      if (error) this.#lose(text, error.code ?? 'unknown');
      else this.trouble = null;
    });
  }

  #lose(text: string, code: string): void {
    this.lost += linesOf(text);
    this.trouble = code;
  }
}

function linesOf(text: string): number {
  return Math.max(1, text.split('\n').length - 1);
}

/**
 * @param descriptor open for writing: a file, a pipe, a terminal, a device.
 * @param stream Node's stream for the same descriptor, used where the descriptor cannot be made non-blocking.
 */
export function outputTo(descriptor: number, stream: () => Writable): Output {
  const flushedAtEnd = (output: DescriptorOutput) => {
    process.on('exit', () => output.flush());
    return output;
  };
  try {
    const kind = fstatSync(descriptor);
    if (kind.isSocket()) return new StreamOutput(stream());
    // A file is as fast as its disk, and a second opening would not share its place in it.
    if (kind.isFile()) return new DescriptorOutput(descriptor);
    // Opened anew, it can be told not to block without telling every other process that has it.
    const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
    return flushedAtEnd(new DescriptorOutput(openSync(`/dev/fd/${descriptor}`, flags)));
  } catch (thrown) {
    // A descriptor whose reader or terminal is already gone refuses every write at once.
    const refused = ['ENXIO', 'EIO'].includes((thrown as NodeJS.ErrnoException).code ?? '');
    return refused ? new DescriptorOutput(descriptor) : new StreamOutput(stream());
  }
}

let standardErrorOutput: Output | null = null;
let standardOutputOutput: Output | null = null;

/** Standard error: the log, and all messages to the terminal. */
export const standardError: Output = {
  write: (text) => openedError().write(text),
  get lost() {
    return standardErrorOutput?.lost ?? 0;
  },
  get trouble() {
    return standardErrorOutput?.trouble ?? null;
  },
};

/** Standard output of a program that runs on without a reader. Requested results go through `Results`. */
export const standardOutput: Output = {
  write: (text) => openedOutput().write(text),
  get lost() {
    return standardOutputOutput?.lost ?? 0;
  },
  get trouble() {
    return standardOutputOutput?.trouble ?? null;
  },
};

function openedError(): Output {
  standardErrorOutput ??= outputTo(2, () => process.stderr);
  return standardErrorOutput;
}

function openedOutput(): Output {
  standardOutputOutput ??= outputTo(1, () => process.stdout);
  return standardOutputOutput;
}
