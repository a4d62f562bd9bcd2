import { mkdirSync } from 'node:fs';
import { type FileHandle, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CoppiceError } from '@coppice/protocol';
import { nextTurn } from '../turns.ts';
import { incomingFile, removeIncoming } from './incoming-file.ts';
import type { Incoming, Spool, SpooledFrame } from './spool.ts';
import {
  answerRecord,
  createRoundFile,
  type FramePlace,
  openingRecord,
  readInto,
  readRoundFile,
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

/** The open round of one run. Writes that arrive while the disk is busy share the next flush (group commit). */
class Lane {
  readonly #path: string;
  readonly #flushes: boolean;
  /** Serializes the operations. */
  #order: Promise<void> = Promise.resolve();
  #file: FileHandle | null = null;
  #end = 0;
  /** Frames on disk, by participant. */
  #frames = new Map<string, FramePlace>();
  /** Appends that wait, for the newest round. A slow disk may still be at the one before. */
  #waiting: Waiting[] = [];
  /** After a failed write or flush the file's state is unknown, so the round accepts nothing more. */
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
        this.#file = await createRoundFile(this.#path, this.#flushes);
        this.#end = await writeAll(this.#file, chunks, 0);
      } catch (thrown) {
        this.#broken = failed(thrown);
      }
    });
  }

  append(participant: string, chunks: readonly Uint8Array[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const round = this.#waiting;
      round.push({ participant, chunks, resolve, reject });
      // The first flush covers all appends of its round so far.
      void this.#queue(() => this.#flush(round));
    });
  }

  recover() {
    return this.#queue(async () => {
      await this.#release();
      const found = await readRoundFile(this.#path);
      this.#file = found?.file ?? null;
      this.#end = found?.end ?? 0;
      this.#frames = found?.frames ?? new Map();
      return found?.round ?? null;
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

  async #flush(round: Waiting[]): Promise<void> {
    if (round.length === 0) return;
    for (let turn = 0; turn < TURNS; turn++) await nextTurn();
    const batch = round.splice(0, BATCH / 3);
    try {
      if (this.#broken !== null) throw this.#broken;
      if (this.#file === null) throw new Error('no round is open');
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
 * A spool of files in a folder, one for each run with an open round.
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
  const lane = (run: string): Lane => {
    let found = lanes.get(run);
    if (found === undefined) {
      found = new Lane(join(folder, `${run}.spool`), flush);
      lanes.set(run, found);
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
    open: (opening) => lane(opening.run).begin(openingRecord(opening)),
    frame: (run, participant) => lane(run).frame(participant),
    async append(run, answer) {
      waiting++;
      try {
        await lane(run).append(answer.participant, answerRecord(answer));
      } finally {
        waiting--;
      }
    },
    recover: (run) => named(lane(run).recover()),
    drop: (run) => named(lane(run).drop()),
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
