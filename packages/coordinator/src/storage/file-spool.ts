import { mkdirSync } from 'node:fs';
import { type FileHandle, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CoppiceError } from '@coppice/protocol';
import { nextTurn } from '../turns.ts';
import { incomingFile, removeIncoming } from './incoming-file.ts';
import { type Incoming, ownerOf, type Spool, type SpooledFrame } from './spool.ts';
import {
  answerRecord,
  createSpoolFile,
  type FramePlace,
  openingRecord,
  readInto,
  readSpoolFile,
  writeAll,
} from './spool-file.ts';

/** The most buffers in one write: well under every system's limit. */
const BATCH = 384;
/**
 * Turns of the event loop for which a flush waits for others to share it. They take no time when idle; in a burst each
 * brings an update or two, and a flush costs about the same for ten.
 */
const TURNS = 4;

interface Waiting {
  readonly participant: string;
  readonly chunks: readonly Uint8Array[];
  readonly resolve: () => void;
  readonly reject: (error: CoppiceError) => void;
}

/** The open exchange of one owner. Writes that arrive while the disk is busy share the next flush (group commit). */
class Lane {
  readonly #path: string;
  readonly #flushes: boolean;
  /** Serializes the operations. */
  #order: Promise<void> = Promise.resolve();
  #file: FileHandle | null = null;
  #end = 0;
  /** Frames on disk, by participant. */
  #frames = new Map<string, FramePlace>();
  /** Appends that wait, for the newest exchange. A slow disk may still be at the one before. */
  #waiting: Waiting[] = [];
  /** After a failed write or flush the file's state is unknown, so the exchange accepts nothing more. */
  #broken: CoppiceError | null = null;

  constructor(path: string, flush: boolean) {
    this.#path = path;
    this.#flushes = flush;
  }

  begin(chunks: readonly Uint8Array[]): void {
    this.#waiting = [];
    void this.#queue(async () => {
      await this.#release();
      this.#broken = null;
      this.#frames = new Map();
      try {
        this.#file = await createSpoolFile(this.#path, this.#flushes);
        this.#end = await writeAll(this.#file, chunks, 0);
      } catch (thrown) {
        this.#broken = failed(thrown);
      }
    });
  }

  append(participant: string, chunks: readonly Uint8Array[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const exchange = this.#waiting;
      exchange.push({ participant, chunks, resolve, reject });
      // The first flush covers all appends of its exchange so far.
      void this.#queue(() => this.#flush(exchange));
    });
  }

  recover() {
    return this.#queue(async () => {
      await this.#release();
      const found = await readSpoolFile(this.#path);
      this.#file = found?.file ?? null;
      this.#end = found?.end ?? 0;
      this.#frames = found?.frames ?? new Map();
      return found?.exchange ?? null;
    });
  }

  drop(): Promise<void> {
    return this.#queue(async () => {
      await this.#release();
      await rm(this.#path, { force: true });
    });
  }

  close(): Promise<void> {
    return this.#queue(() => this.#release());
  }

  async #flush(exchange: Waiting[]): Promise<void> {
    if (exchange.length === 0) return;
    for (let turn = 0; turn < TURNS; turn++) await nextTurn();
    const batch = exchange.splice(0, BATCH / 3);
    try {
      if (this.#broken !== null) throw this.#broken;
      if (this.#file === null) throw new Error('no exchange is open');
      const begin = this.#end;
      this.#end = await writeAll(
        this.#file,
        batch.flatMap((one) => one.chunks),
        begin,
      );
      if (this.#flushes) await this.#file.datasync();
      this.#place(batch, begin);
    } catch (thrown) {
      this.#broken = failed(thrown);
      for (const { reject } of batch) reject(this.#broken);
      return;
    }
    for (const { resolve } of batch) resolve();
  }

  /** Records the offsets of frames that were written one after another from `begin` on. */
  #place(batch: readonly Waiting[], begin: number): void {
    let at = begin;
    for (const { participant, chunks } of batch) {
      const frame = chunks.at(-1)?.byteLength ?? 0;
      at += chunks.reduce((bytes, chunk) => bytes + chunk.byteLength, 0);
      this.#frames.set(participant, { at: at - frame, byteLength: frame });
    }
  }

  frame(participant: string): SpooledFrame | null {
    const place = this.#frames.get(participant);
    const file = this.#file;
    if (place === undefined || file === null) return null;
    return {
      byteLength: place.byteLength,
      read: async (into, at) => {
        try {
          await readInto(file, into, place.at + at);
        } catch (thrown) {
          throw failed(thrown);
        }
      },
    };
  }

  async #release(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close();
  }

  #queue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#order.then(work);
    this.#order = result.then(
      () => {},
      () => {},
    );
    return result;
  }
}

/**
 * A spool of files in a folder, one for each owner with an open exchange.
 *
 * @param flush false for a temporary folder: nothing waits for the disk.
 * @throws CoppiceError `storage-failed` where the folder cannot be made.
 */
export function fileSpool(folder: string, flush = true): Spool {
  try {
    mkdirSync(folder, { recursive: true });
    removeIncoming(folder);
  } catch (thrown) {
    throw failed(thrown);
  }
  const lanes = new Map<string, Lane>();
  const lane = (owner: string): Lane => {
    let found = lanes.get(owner);
    if (found === undefined) {
      found = new Lane(join(folder, `${owner}.spool`), flush);
      lanes.set(owner, found);
    }
    return found;
  };
  const named = <T>(work: Promise<T>): Promise<T> =>
    work.catch((thrown: unknown) => {
      throw failed(thrown);
    });
  const incoming = new Set<Incoming>();
  let waiting = 0;
  return {
    get waiting() {
      return waiting;
    },
    open: (opening) => lane(ownerOf(opening)).begin(openingRecord(opening)),
    frame: (owner, participant) => lane(owner).frame(participant),
    async append(owner, answer) {
      waiting++;
      try {
        await lane(owner).append(answer.participant, answerRecord(answer));
      } finally {
        waiting--;
      }
    },
    recover: (owner) => named(lane(owner).recover()),
    drop: (owner) => named(lane(owner).drop()),
    async receive() {
      const file = await named(incomingFile(folder));
      incoming.add(file);
      return {
        write: (piece, at) => named(file.write(piece, at)),
        read: (into) => named(file.read(into)),
        discard() {
          incoming.delete(file);
          return file.discard();
        },
      };
    },
    async close() {
      await Promise.all([
        ...[...lanes.values()].map((one) => one.close()),
        ...[...incoming].map((one) => one.discard()),
      ]);
    },
  };
}

function failed(thrown: unknown): CoppiceError {
  if (thrown instanceof CoppiceError) return thrown;
  return new CoppiceError(
    'storage-failed',
    `The spool in the data folder cannot be used: ${(thrown as Error).message}. Check free space and permissions.`,
    { cause: thrown },
  );
}
