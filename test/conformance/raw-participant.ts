import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Keys } from './raw-identity.ts';

/*
 * A participant made from docs/protocol.md alone: a WebSocket, hashes and checksums of the platform,
 * nothing of Coppice and no Socket.IO. Where this and the page disagree, one of them is wrong.
 */

export type Json = Record<string, unknown>;
interface Arrived {
  readonly name: string;
  /** The message, with binary parts in place of their placeholders. */
  readonly message: Json;
  /** The first binary part. */
  readonly frame: Uint8Array | null;
}
export interface Spec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly trainable: boolean;
  readonly frozen?: boolean | undefined;
}

export class RawParticipant {
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, (answer: Arrived) => void>();
  readonly #arrived: Arrived[] = [];
  #waiting: { name: string; resolve(event: Arrived): void }[] = [];
  #next = 0;
  /** A text message that waits for its announced binary parts. */
  #announced: { text: string; count: number; parts: Uint8Array[] } | null = null;
  /** Every packet, in both directions, as it went over the wire. */
  readonly log: string[] = [];
  /** The error of `connect_error`, or null once connected. */
  readonly connected: Promise<Json | null>;
  readonly closed: Promise<void>;

  /** @param keys the keys that answer challenges; without `prove`, challenges are not answered. `hellos`: number of hellos. */
  constructor(url: string, auth: Json, keys: Partial<Keys> & { hellos?: number } = {}) {
    const { prove, hellos = 1 } = keys;
    if (prove !== undefined) {
      const { host } = new URL(url);
      void this.event('challenge').then(({ message }) =>
        this.ask('prove', { signature: prove(host, message['nonce'] as string) }),
      );
    }
    this.#socket = new WebSocket(`${url.replace(/^http/, 'ws')}/socket.io/?EIO=4&transport=websocket`);
    this.#socket.binaryType = 'arraybuffer';
    this.closed = new Promise((resolve) => this.#socket.addEventListener('close', () => resolve()));
    this.connected = new Promise((resolve) => {
      this.#socket.addEventListener('message', ({ data }: MessageEvent<string | ArrayBuffer>) => {
        this.log.push(`S ${typeof data === 'string' ? data : `<${data.byteLength} bytes>`}`);
        if (typeof data !== 'string') this.#part(new Uint8Array(data));
        else if (data.startsWith('0'))
          for (let n = 0; n < hellos; n++) this.send(`40/participant,${JSON.stringify(auth)}`);
        else if (data === '2') this.send('3');
        else if (data === '41/participant,') this.#socket.close();
        else if (data.startsWith('40/participant,')) resolve(null);
        else if (data.startsWith('44/participant,')) resolve(JSON.parse(data.slice(15)).data as Json);
        else if (data.startsWith('45') || data.startsWith('46'))
          this.#announced = { text: data, count: Number.parseInt(data.slice(2), 10), parts: [] };
        else this.#packet(data, []);
      });
    });
  }

  /** Takes the oldest event of this name, or waits for the next. */
  event(name: string): Promise<Arrived> {
    const at = this.#arrived.findIndex((event) => event.name === name);
    const [found] = at === -1 ? [] : this.#arrived.splice(at, 1);
    if (found !== undefined) return Promise.resolve(found);
    return new Promise((resolve) => this.#waiting.push({ name, resolve }));
  }

  /** @param frame the message's binary part, under the name that it has there. */
  ask(
    name: string,
    message: unknown,
    frame?: Uint8Array,
    part: 'frame' | 'bytes' = 'frame',
  ): Promise<Arrived> {
    const id = this.#next++;
    const answer = new Promise<Arrived>((resolve) => this.#answers.set(id, resolve));
    if (frame === undefined) this.send(`42/participant,${id}${JSON.stringify([name, message])}`);
    else {
      const placed = { ...(message as Json), [part]: { _placeholder: true, num: 0 } };
      this.send(`451-/participant,${id}${JSON.stringify([name, placed])}`);
      this.send(frame);
    }
    return answer;
  }

  /** Sends an event without an acknowledgement. */
  tell(name: string, message: unknown): void {
    this.send(`42/participant,${JSON.stringify([name, message])}`);
  }

  close(): Promise<void> {
    this.#socket.close();
    return this.closed;
  }

  /** Sends one WebSocket message unchanged: text or binary. */
  send(data: string | Uint8Array): void {
    this.log.push(`C ${typeof data === 'string' ? data : `<${data.byteLength} bytes>`}`);
    this.#socket.send(data as string | Uint8Array<ArrayBuffer>);
  }

  #part(bytes: Uint8Array): void {
    if (this.#announced === null) throw new Error('a binary part that no text announced');
    const { text, count, parts } = this.#announced;
    if (parts.push(bytes) < count) return;
    this.#announced = null;
    this.#packet(text, parts);
  }

  #packet(text: string, parts: readonly Uint8Array[]): void {
    const match = text.match(/^4(?:[23]|[56]\d-)\/participant,(\d*)(\[.*\])$/s);
    if (match === null) throw new Error(`not a packet of docs/protocol.md: ${text.slice(0, 80)}`);
    const [frame = null] = parts;
    const list = JSON.parse(match[2] as string, (_key, value: unknown) => {
      const { _placeholder, num } = (value ?? {}) as { _placeholder?: unknown; num?: unknown };
      return _placeholder === true ? parts[num as number] : value;
    }) as [unknown, unknown];
    if (text.startsWith('43') || text.startsWith('46')) {
      const id = Number(match[1]);
      this.#answers.get(id)?.({ name: 'answer', message: list[0] as Json, frame });
      this.#answers.delete(id);
      return;
    }
    const event = { name: list[0] as string, message: list[1] as Json, frame };
    const at = this.#waiting.findIndex(({ name }) => name === event.name);
    const [waiting] = at === -1 ? [] : this.#waiting.splice(at, 1);
    if (waiting === undefined) this.#arrived.push(event);
    else waiting.resolve(event);
  }
}

/** "Frames in pieces": all but the last have 1 MiB. */
export const PIECE = 1_048_576;

/** Fetches the payload of a parcel, a model among them, whose header came alone. @returns the whole frame. */
export async function fetchPieces(
  raw: RawParticipant,
  run: unknown,
  hash: unknown,
  header: Uint8Array,
): Promise<Uint8Array> {
  const payloadBytes = Buffer.from(header).readUInt32LE(28);
  const whole = new Uint8Array(40 + payloadBytes);
  whole.set(header);
  for (let piece = 0; piece * PIECE < payloadBytes; piece++) {
    const { message, frame } = await raw.ask('parcel', { run, hash, piece });
    if (frame === null) throw new Error(JSON.stringify(message));
    whole.set(frame, 40 + piece * PIECE);
  }
  if (crc32(whole.subarray(40)) !== Buffer.from(header).readUInt32LE(32)) throw new Error('damaged');
  return whole;
}

/**
 * "Parcels over HTTP": fetches the payload of a parcel whose header came alone, and returns the whole frame. The
 * connection is closed after `breakAfter` bytes, and the download resumes from the first missing byte.
 *
 * @param ticket the headers that a run requires which is not open.
 */
export async function fetchOverHttp(
  url: string,
  { run, hash, header }: { run: unknown; hash: unknown; header: Uint8Array },
  { ticket = {}, breakAfter }: { ticket?: Record<string, string>; breakAfter: number },
): Promise<{ whole: Uint8Array; statuses: number[] }> {
  const payloadBytes = Buffer.from(header).readUInt32LE(28);
  const whole = new Uint8Array(40 + payloadBytes);
  whole.set(header);
  const statuses: number[] = [];
  let got = 0;
  let etag = '';
  while (got < payloadBytes) {
    const rest = got === 0 ? {} : { range: `bytes=${got}-`, 'if-range': etag };
    const response = await fetch(`${url}/api/runs/${run}/parcels/${hash}`, {
      headers: { ...ticket, ...rest },
    });
    statuses.push(response.status);
    if (response.status !== 200 && response.status !== 206) return { whole, statuses };
    if (response.status === 206) {
      const range = response.headers.get('content-range');
      if (range !== `bytes ${got}-${payloadBytes - 1}/${payloadBytes}`) throw new Error(`${range}`);
    } else got = 0;
    etag = response.headers.get('etag') ?? '';
    for await (const part of response.body ?? []) {
      whole.set(part, 40 + got);
      got += part.byteLength;
      // Leaving the loop cancels the request.
      if (statuses.length === 1 && got >= breakAfter) break;
    }
  }
  if (crc32(whole.subarray(40)) !== Buffer.from(header).readUInt32LE(32)) throw new Error('damaged');
  return { whole, statuses };
}

/** Sends piece number `piece` of an answer. */
export function sendPiece(
  raw: RawParticipant,
  { run, ticket }: Json,
  frame: Uint8Array,
  piece: number,
): Promise<Arrived> {
  const bytes = frame.subarray(40 + piece * PIECE, 40 + (piece + 1) * PIECE);
  return raw.ask('answer-piece', { run, ticket, piece }, bytes, 'bytes');
}

/** Sends a large answer. @returns the coordinator's last reply, and the pieces that were sent. */
export async function sendInPieces(
  raw: RawParticipant,
  answer: Json,
  frame: Uint8Array,
): Promise<{ answer: Json; sent: number[] }> {
  const header = frame.subarray(0, 40);
  const sent: number[] = [];
  for (;;) {
    const { message } = await raw.ask('answer', answer, header);
    const next = (message['value'] as { next: number | null } | undefined)?.next ?? null;
    if (next === null) return { answer: message, sent };
    for (let piece = next; 40 + piece * PIECE < frame.byteLength; piece++) {
      const reply = await sendPiece(raw, answer, frame, piece);
      if (reply.message['ok'] !== true) return { answer: reply.message, sent };
      sent.push(piece);
    }
  }
}

export function layoutHash(layout: readonly Spec[]): Buffer {
  const lines = layout.map(({ name, shape, trainable }) => `${name}:${trainable ? 1 : 0}:${shape.join(',')}`);
  return createHash('sha256').update(lines.join('\n'), 'utf8').digest().subarray(0, 16);
}

/** "Models in parts": both put together in the order of the model's layout. */
export function wholeModel(
  layout: readonly Spec[],
  moving: readonly number[],
  frozen: readonly number[],
): number[] {
  const rest = { moving: [...moving], frozen: [...frozen] };
  return layout.flatMap(({ shape, frozen: stays }) =>
    rest[stays === true ? 'frozen' : 'moving'].splice(
      0,
      shape.reduce((size, length) => size * length, 1),
    ),
  );
}

export function weightsHash(payload: Uint8Array): string {
  return createHash('sha256').update(payload).digest('hex');
}

/** "Frames": encodes 40 bytes of header, then the payload; float32, unless the numbers are given encoded. */
export function frame(
  kind: 1 | 2,
  layout: Uint8Array,
  values: readonly number[],
  encoded?: Encoded,
): Uint8Array {
  const payload = new Uint8Array(Float32Array.from(values).buffer);
  return new Uint8Array(encodedFrame(kind, layout, values.length, encoded ?? { codec: 0, payload }));
}

interface Encoded {
  readonly codec: number;
  readonly payload: Uint8Array;
}

/** As `frame`, for numbers that are already encoded. */
export function encodedFrame(
  kind: 1 | 2 | 3,
  layout: Uint8Array,
  parameters: number,
  { codec, payload }: Encoded,
) {
  const bytes = Buffer.alloc(40 + payload.length);
  bytes.write('CPF1', 0, 'latin1');
  bytes.set([1, kind, codec, 0], 4);
  bytes.set(layout, 8);
  bytes.writeUInt32LE(parameters, 24);
  bytes.writeUInt32LE(payload.length, 28);
  bytes.writeUInt32LE(crc32(payload), 32);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 36)), 36);
  bytes.set(payload, 40);
  return bytes;
}

/** "int8": scaled whole numbers, rounded at random by the seed's draws. */
export function encodeInt8(values: readonly number[], seed: number): Uint8Array {
  const bytes = Buffer.alloc(values.length + 4 * Math.ceil(values.length / 1024));
  let at = 0;
  for (let from = 0; from < values.length; from += 1024) {
    const block = values.slice(from, from + 1024);
    const scale = Math.fround(Math.max(...block.map(Math.abs)) / 126.9);
    at = bytes.writeFloatLE(scale, at);
    for (const [i, value] of block.entries()) {
      const draw = Number(randomBits(seed, from + i)) / 2 ** 32;
      at = bytes.writeInt8(
        scale === 0 ? 0 : Math.max(-127, Math.min(127, Math.floor(value / scale + draw))),
        at,
      );
    }
  }
  return bytes;
}

export function decodeFloat16(payload: Uint8Array): number[] {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  return Array.from({ length: payload.length / 2 }, (_, i) => view.getFloat16(2 * i, true));
}

/** "top1 and top10". */
export function decodeTop(payload: Uint8Array, parameters: number): number[] {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const values = new Array<number>(parameters).fill(0);
  const k = payload.length / 8;
  for (let i = 0; i < k; i++) values[view.getUint32(4 * i, true)] = view.getFloat32(4 * (k + i), true);
  return values;
}

export function decodeInt8(payload: Uint8Array, parameters: number): number[] {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  return Array.from({ length: parameters }, (_, i) => {
    const block = Math.floor(i / 1024) * (1024 + 4);
    return Math.fround(view.getInt8(block + 4 + (i % 1024)) * view.getFloat32(block, true));
  });
}

/** "int4": levels, rotated back. */
export function decodeInt4(payload: Uint8Array, parameters: number): number[] {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const seed = view.getUint32(0, true);
  const numbers: number[] = [];
  for (let at = 4; numbers.length < parameters; ) {
    const left = parameters - numbers.length;
    const m = left >= 4096 ? 4096 : Math.max(256, 2 ** Math.ceil(Math.log2(left)));
    const bytes = payload.subarray(at + 4, at + 4 + m / 2);
    numbers.push(...int4Block(view.getFloat32(at, true), bytes, seed, numbers.length / 32).slice(0, left));
    at += 4 + m / 2;
  }
  return numbers;
}

function int4Block(scale: number, codes: Uint8Array, seed: number, word: number): number[] {
  const upper = [0.12839504, 0.3880483, 0.65675914, 0.94234043, 1.2562312, 1.6180464, 2.0690172, 2.7325895];
  const levels = [...upper.toReversed().map((level) => -level), ...upper].map(Math.fround);
  let v = [...codes].flatMap((byte) =>
    [byte & 15, byte >> 4].map((code) => Math.fround((levels[code] as number) * scale)),
  );
  for (const turn of [0, 1]) {
    for (let h = 1; h < v.length; h *= 2) {
      for (let i = 0; i < v.length; i++) {
        if (Math.floor(i / h) % 2 !== 0) continue;
        const [a, b] = [v[i] as number, v[i + h] as number];
        v[i] = Math.fround(a + b);
        v[i + h] = Math.fround(a - b);
      }
    }
    v = v.map((value, i) => {
      const bits = randomBits(seed, 2 * (word + Math.floor(i / 32)) + turn);
      return ((bits >> BigInt(31 - (i % 32))) & 1n) === 1n ? -value : value;
    });
  }
  return v;
}

/** R(w) as the page defines it. */
export function randomBits(seed: number, w: number): bigint {
  const to32 = (x: bigint) => x & 0xffffffffn;
  let x = to32(BigInt(seed) + BigInt(w) * 0x9e3779b9n);
  x = to32((x ^ (x >> 16n)) * 0x85ebca6bn);
  x = to32((x ^ (x >> 13n)) * 0xc2b2ae35n);
  return x ^ (x >> 16n);
}

export function payload(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: (bytes.byteLength - 40) / 4 }, (_, i) => view.getFloat32(40 + 4 * i, true));
}

/** "Aggregation, to the bit", in whole numbers of any size: FedAvg with η = 1. */
export function aggregate(
  weights: readonly number[],
  updates: readonly { delta: readonly number[]; examples: number }[],
): number[] {
  const examples = updates.reduce((sum, update) => sum + update.examples, 0);
  return weights.map((weight, i) => {
    let total = 0n;
    for (const { delta, examples: n } of updates) {
      // Every float32 is a whole multiple of 2⁻¹⁴⁹.
      total += shiftHalfEven(BigInt(Math.fround(delta[i] as number) * 2 ** 149) * BigInt(n), 149n - 36n);
    }
    return Math.fround(weight + Number(total) / 2 ** 36 / examples);
  });
}

/** value / 2^bits to the nearest whole number, ties to even. */
function shiftHalfEven(value: bigint, bits: bigint): bigint {
  const floor = value >> bits;
  const rest = value - (floor << bits);
  const half = 1n << (bits - 1n);
  return rest > half || (rest === half && (floor & 1n) === 1n) ? floor + 1n : floor;
}
