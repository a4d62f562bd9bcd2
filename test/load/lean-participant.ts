import { connect, type Socket } from 'node:net';
import type { Keys } from '../conformance/raw-identity.ts';

/*
 * A participant that costs next to nothing, so that thousands fit beside the coordinator: a TCP socket
 * that speaks as much WebSocket and Socket.IO as docs/protocol.md asks for. It does not train; its
 * answers are bytes that were prepared, and masked, once for all. What it is sent is counted and dropped.
 */

/** A fixed mask, so that one masked copy of an update serves all participants. Not zero: the server must unmask as usual. */
const MASK = Buffer.from([0x5a, 0xc3, 0x17, 0x9e]);
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;

/** Number of examples that a participant claims. */
export const WEIGHT = 10;

/** The part of a question that is read. */
interface Ask {
  readonly kind: string;
  readonly ticket: string;
}

export interface Listener {
  /** The answer to "join", as JSON. */
  joined(participant: LeanParticipant, reply: string): void;
  /** A question to train: control message and weights have arrived. */
  asked(participant: LeanParticipant): void;
  acknowledged(participant: LeanParticipant, reply: string): void;
  roundEnded(participant: LeanParticipant): void;
  closed(participant: LeanParticipant): void;
}

/** A client's message, masked, in one frame. */
export function masked(opcode: typeof TEXT | typeof BINARY, payload: Uint8Array): Buffer {
  const long = payload.byteLength >= 65_536;
  const medium = !long && payload.byteLength >= 126;
  const start = 2 + (long ? 8 : medium ? 2 : 0);
  const bytes = Buffer.allocUnsafe(start + 4 + payload.byteLength);
  bytes[0] = 0x80 | opcode;
  bytes[1] = 0x80 | (long ? 127 : medium ? 126 : payload.byteLength);
  if (long) bytes.writeBigUInt64BE(BigInt(payload.byteLength), 2);
  else if (medium) bytes.writeUInt16BE(payload.byteLength, 2);
  MASK.copy(bytes, start);
  for (let i = 0; i < payload.byteLength; i++)
    bytes[start + 4 + i] = (payload[i] as number) ^ (MASK[i & 3] as number);
  return bytes;
}

/** A masked binary message that any participant can send. */
export function maskedFrame(frame: Uint8Array): Buffer {
  return masked(BINARY, frame);
}

export class LeanParticipant {
  readonly #socket: Socket;
  readonly #keys: Keys;
  readonly #host: string;
  readonly #protocol: number;
  readonly #run: string;
  readonly #listener: Listener;
  #upgraded = false;
  /** Bytes of an incomplete header or text. */
  #rest: Buffer = Buffer.alloc(0);
  /** Remaining bytes of a binary message. */
  #skip = 0;
  #ask: Ask | null = null;

  constructor(url: URL, options: { keys: Keys; protocol: number; run: string; listener: Listener }) {
    this.#keys = options.keys;
    this.#host = url.host;
    this.#protocol = options.protocol;
    this.#run = options.run;
    this.#listener = options.listener;
    this.#socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => this.#listener.closed(this));
    this.#socket.write(
      `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: ${url.host}\r\nUpgrade: websocket\r\n` +
        'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bGVhbiBwYXJ0aWNpcGFudA==\r\n\r\n',
    );
  }

  /** Sends the prepared bytes as its answer to its question. */
  deliver(update: Buffer): void {
    if (this.#ask === null) return;
    const { ticket } = this.#ask;
    this.#ask = null;
    const frame = { _placeholder: true, num: 0 };
    const message = { run: this.#run, ticket, weight: WEIGHT, milliseconds: 1, frame };
    this.#send(`451-/participant,2${JSON.stringify(['answer', message])}`);
    this.#socket.write(update);
  }

  close(): void {
    this.#socket.destroy();
  }

  #send(text: string): void {
    this.#socket.write(masked(TEXT, Buffer.from(text)));
  }

  #read(chunk: Buffer): void {
    if (this.#skip >= chunk.length) {
      this.#skip -= chunk.length;
      if (this.#skip === 0) this.#binaryEnded();
      return;
    }
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (!this.#upgraded) {
      const end = bytes.indexOf('\r\n\r\n');
      if (end === -1) {
        this.#rest = bytes;
        return;
      }
      this.#upgraded = true;
      bytes = bytes.subarray(end + 4);
    }
    let at = 0;
    while (at < bytes.length) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, bytes.length - at);
        at += skipped;
        this.#skip -= skipped;
        if (this.#skip === 0) this.#binaryEnded();
        continue;
      }
      if (bytes.length - at < 2) break;
      const opcode = (bytes[at] as number) & 15;
      const short = (bytes[at + 1] as number) & 127;
      const header = short === 127 ? 10 : short === 126 ? 4 : 2;
      if (bytes.length - at < header) break;
      const length =
        short === 127
          ? Number(bytes.readBigUInt64BE(at + 2))
          : short === 126
            ? bytes.readUInt16BE(at + 2)
            : short;
      if (opcode === BINARY) {
        at += header;
        this.#skip = length;
        continue;
      }
      if (bytes.length - at < header + length) break;
      if (opcode === CLOSE) this.#socket.destroy();
      else if (opcode === TEXT) this.#text(bytes.toString('utf8', at + header, at + header + length));
      else if (opcode !== PING) throw new Error(`a WebSocket frame with opcode ${opcode}`);
      at += header + length;
    }
    // A copy: a view would keep the whole chunk.
    this.#rest = at === bytes.length ? Buffer.alloc(0) : Buffer.from(bytes.subarray(at));
  }

  /** Handles the end of a binary message: "ask" is the only one here, and only questions to train are answered. */
  #binaryEnded(): void {
    if (this.#ask?.kind === 'train') this.#listener.asked(this);
  }

  #text(text: string): void {
    if (text === '2') this.#send('3');
    else if (text.startsWith('0'))
      this.#send(`40/participant,${JSON.stringify({ protocol: this.#protocol, key: this.#keys.key })}`);
    else if (text.startsWith('451-/participant,["ask",'))
      this.#ask = JSON.parse(text.slice('451-/participant,["ask",'.length, -1)) as Ask;
    else if (text.startsWith('42/participant,["challenge"')) {
      const [, { nonce }] = JSON.parse(text.slice('42/participant,'.length)) as [string, { nonce: string }];
      this.#send(
        `42/participant,0${JSON.stringify(['prove', { signature: this.#keys.prove(this.#host, nonce) }])}`,
      );
    } else if (text.startsWith('42/participant,["welcome"')) {
      const join = {
        run: this.#run,
        device: 'headless',
        backend: 'none',
        examples: WEIGHT,
        speed: null,
        paused: false,
      };
      this.#send(`42/participant,1${JSON.stringify(['join', join])}`);
    } else if (text.startsWith('43/participant,1[')) this.#listener.joined(this, text.slice(16));
    else if (text.startsWith('43/participant,2[')) this.#listener.acknowledged(this, text.slice(16));
    else if (text.startsWith('42/participant,["round-end"')) this.#listener.roundEnded(this);
  }
}
