import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { type Answer, CoppiceError, frameBytes } from '@coppice/protocol';
import { type Opening, ownerOf, type SpooledAnswer, type SpooledExchange } from './spool.ts';
import { TaskOpeningSchema } from './task-opening.ts';

/*
 * One exchange in one file. Records follow each other, the opening first:
 *
 *     u32 length of the JSON · u32 length of the frame · u32 CRC-32 of the JSON · u32 CRC-32 of these three
 *     JSON (UTF-8) · frame
 *
 * little-endian. The frame has a checksum of its own. A record that is cut short was never
 * acknowledged, since acknowledgements wait for the flush.
 */
const HEAD = 16;
/** Version of the format, which tells files of another one apart. */
const FORMAT = 2;

/** Location of a record in its file. */
interface Place {
  readonly json: number;
  readonly jsonLength: number;
  readonly frameLength: number;
  /** True where its JSON matches its checksum. */
  readonly whole: boolean;
}

/** Location of a frame in its file. */
export interface FramePlace {
  readonly at: number;
  readonly byteLength: number;
}

export interface Found {
  readonly file: FileHandle;
  /** Offset for the next record. */
  readonly end: number;
  readonly exchange: SpooledExchange;
  /** Frames by participant. */
  readonly frames: Map<string, FramePlace>;
}

export function openingRecord(opening: Opening): Uint8Array[] {
  return record({ format: FORMAT, ...opening }, new Uint8Array(0));
}

export function answerRecord({ participant, answer }: SpooledAnswer): Uint8Array[] {
  const { frame, ...fields } = answer;
  return record({ participant, answer: fields }, frameBytes(frame));
}

function record(fields: object, frame: Uint8Array): Uint8Array[] {
  const json = Buffer.from(JSON.stringify(fields));
  const head = Buffer.alloc(HEAD);
  head.writeUInt32LE(json.byteLength, 0);
  head.writeUInt32LE(frame.byteLength, 4);
  head.writeUInt32LE(crc32(json), 8);
  head.writeUInt32LE(crc32(head.subarray(0, HEAD - 4)), HEAD - 4);
  return [head, json, frame];
}

/** Creates the file of an exchange, empty, in place of any before it. */
export async function createSpoolFile(path: string, flush: boolean): Promise<FileHandle> {
  const file = await open(path, 'w+');
  if (!flush) return file;
  // The file's name is an entry of its folder, which has to reach the disk as well.
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
  return file;
}

/** Writes all chunks from an offset of the file on. @returns the offset after them. */
export async function writeAll(
  file: FileHandle,
  chunks: readonly Uint8Array[],
  position: number,
): Promise<number> {
  let left = chunks.filter((chunk) => chunk.byteLength > 0);
  let at = position;
  while (left.length > 0) {
    let { bytesWritten } = await file.writev(left, at);
    at += bytesWritten;
    // The system may take less than it was given.
    while (bytesWritten > 0) {
      const first = left[0] as Uint8Array;
      if (bytesWritten < first.byteLength) {
        left = [first.subarray(bytesWritten), ...left.slice(1)];
        break;
      }
      bytesWritten -= first.byteLength;
      left = left.slice(1);
    }
  }
  return at;
}

/**
 * Reads a file up to its incomplete end; `null` where it holds no exchange.
 *
 * @throws CoppiceError `storage-corrupt` where its content cannot be recognized.
 */
export async function readSpoolFile(path: string): Promise<Found | null> {
  let file: FileHandle;
  try {
    file = await open(path, 'r+');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw thrown;
  }
  try {
    const { size } = await file.stat();
    const first = await readPlace(file, 0, size);
    if (first === 'end') {
      await file.close();
      return null;
    }
    const stored = first === 'damaged' || !first.whole ? null : ((await readJson(file, first)) as Stored);
    if (first === 'damaged' || stored === null) {
      throw new CoppiceError(
        'storage-corrupt',
        `The spool ${path} is damaged at its beginning; its exchange begins anew.`,
      );
    }
    if (stored.format !== FORMAT) {
      throw new CoppiceError(
        'storage-corrupt',
        `The spool ${path} was written by another version of Coppice (format ${stored.format}, this one reads ${FORMAT}); its exchange is abandoned and begins anew. Updates that were acknowledged in it do not count.`,
      );
    }
    const opening = openingOf(stored, path);
    const places: Place[] = [];
    let lost = 0;
    let end = after(first);
    let next = await readPlace(file, end, size);
    for (; next instanceof Object; next = await readPlace(file, end, size)) {
      if (next.whole) places.push(next);
      else lost++;
      end = after(next);
    }
    const damage =
      lost > 0 || next === 'damaged'
        ? new CoppiceError(
            'storage-corrupt',
            `The spool of ${ownerOf(opening)} is damaged: ${lost} updates and ${size - end} bytes cannot be read. Whose updates they were will be asked again.`,
          )
        : null;
    await file.truncate(end);
    const frames = new Map<string, FramePlace>();
    return {
      file,
      end,
      frames,
      exchange: { opening, damage, answers: () => answersAt(file, places, frames) },
    };
  } catch (thrown) {
    await file.close().catch(() => {});
    throw thrown;
  }
}

type Stored = Opening & { format: unknown };

function openingOf({ format: _format, ...opening }: Stored, path: string): Opening {
  if (!('task' in opening)) return opening;
  const parsed = TaskOpeningSchema.safeParse(opening);
  if (parsed.success) return parsed.data;
  throw new CoppiceError(
    'storage-corrupt',
    `The opening in the spool ${path} is none that this version of Coppice knows: ${parsed.error.message}. Its exchange begins anew; answers that were acknowledged in it do not count.`,
  );
}

async function* answersAt(
  file: FileHandle,
  places: readonly Place[],
  frames: Map<string, FramePlace>,
): AsyncIterable<SpooledAnswer> {
  for (const place of places) {
    const { participant, answer } = (await readJson(file, place)) as {
      participant: string | undefined;
      answer: Omit<Answer, 'frame'>;
    };
    // A repeated opening, where a part of the file was written twice, is no answer.
    if (participant === undefined) continue;
    const at = place.json + place.jsonLength;
    const frame = await readBytes(file, at, place.frameLength);
    frames.set(participant, { at, byteLength: place.frameLength });
    yield { participant, answer: { ...answer, frame } };
  }
}

/** Reads a record's location. `end`: no more, or an incomplete record; `damaged`: no record. */
async function readPlace(file: FileHandle, at: number, size: number): Promise<Place | 'end' | 'damaged'> {
  if (size - at < HEAD) return 'end';
  const head = Buffer.from(await readBytes(file, at, HEAD));
  // Room that was reserved and never written reads as zeros.
  if (head.every((byte) => byte === 0)) return 'end';
  if (crc32(head.subarray(0, HEAD - 4)) !== head.readUInt32LE(HEAD - 4)) return 'damaged';
  const json = at + HEAD;
  const jsonLength = head.readUInt32LE(0);
  const frameLength = head.readUInt32LE(4);
  if (json + jsonLength + frameLength > size) return 'end';
  const whole = crc32(await readBytes(file, json, jsonLength)) === head.readUInt32LE(8);
  return { json, jsonLength, frameLength, whole };
}

function after({ json, jsonLength, frameLength }: Place): number {
  return json + jsonLength + frameLength;
}

async function readJson(file: FileHandle, { json, jsonLength }: Place): Promise<unknown> {
  return JSON.parse(Buffer.from(await readBytes(file, json, jsonLength)).toString('utf8'));
}

async function readBytes(file: FileHandle, at: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  await readInto(file, bytes, at);
  return bytes;
}

/** Fills `into` from an offset of the file on. */
export async function readInto(file: FileHandle, into: Uint8Array, at: number): Promise<void> {
  for (let got = 0; got < into.byteLength; ) {
    const { bytesRead } = await file.read(into, got, into.byteLength - got, at + got);
    if (bytesRead === 0) throw new Error(`the file ends at byte ${at + got}`);
    got += bytesRead;
  }
}
