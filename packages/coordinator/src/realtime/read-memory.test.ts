import { randomFillSync } from 'node:crypto';
import type { Writable } from 'node:stream';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import * as ws from 'ws';
import { type Reader, ReadMemory } from './read-memory.ts';

// Not in its types.
const { Receiver } = ws as unknown as {
  Receiver: new (options: { isServer: boolean; binaryType: string; maxPayload: number }) => Writable & Reader;
};

/** A frame as RFC 6455 has it from a client: masked. */
function frame(opcode: number, payload: Uint8Array, fin: boolean): Buffer {
  const mask = randomFillSync(Buffer.alloc(4));
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = (fin ? 0x80 : 0) | opcode;
  head[1] = 0x80 | (length < 126 ? length : length < 65_536 ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, mask, payload.map((byte, i) => byte ^ (mask[i % 4] as number))]);
}

const PING = 9;

interface Message {
  readonly text: boolean;
  readonly parts: readonly { readonly size: number; readonly pinged: boolean }[];
}
const part = fc.record({
  size: fc.oneof(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 3000 })),
  pinged: fc.boolean(),
});
const message = fc.record({ text: fc.boolean(), parts: fc.array(part, { minLength: 1, maxLength: 4 }) });

/** As ws hands on what a socket reads: whole pieces of memory, each read into memory of its own. */
function send(messages: readonly Message[], cuts: readonly number[]) {
  const receiver = new Receiver({ isServer: true, binaryType: 'nodebuffer', maxPayload: 2 ** 20 });
  const memory = new ReadMemory(receiver);
  const sent: Buffer[] = [];
  const heard: Buffer[] = [];
  receiver.on('message', (data: Buffer, isBinary: boolean) => {
    // Text is read at once, and its memory of no more use.
    heard.push(isBinary ? data : Buffer.from(data.toString()));
    memory.complete(isBinary ? data : data.toString());
  });
  const wire: Buffer[] = [];
  for (const { text, parts } of messages) {
    const payloads = parts.map(({ size }, n) =>
      Buffer.from(new Uint8Array(size).map((_, i) => 32 + ((i * 7 + n) % 90))),
    );
    sent.push(Buffer.concat(payloads));
    for (const [n, { pinged }] of parts.entries()) {
      if (pinged) wire.push(frame(PING, Buffer.from('still here?'), true));
      wire.push(frame(n > 0 ? 0 : text ? 1 : 2, payloads[n] as Buffer, n === parts.length - 1));
    }
  }
  const bytes = Buffer.concat(wire);
  const chunks: Buffer[] = [];
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const size = Math.min(bytes.length - at, cuts[n % cuts.length] as number);
    const chunk = Buffer.from(new ArrayBuffer(size));
    bytes.copy(chunk, 0, at, at + size);
    at += size;
    chunks.push(chunk);
    memory.read(chunk);
    receiver.write(chunk);
    memory.done();
  }
  return { sent, heard, chunks };
}

it('is given back with nothing of a message changed, however it is cut and fragmented', () => {
  const cut = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 2000 }));
  fc.assert(
    fc.property(
      fc.array(message, { minLength: 1, maxLength: 6 }),
      fc.array(cut, { minLength: 1, maxLength: 5 }),
      (messages, cuts) => {
        const { sent, heard, chunks } = send(messages, cuts);
        expect(heard).toEqual(sent);
        // What is left is what messages are made of themselves.
        const kept = new Set(chunks.filter(({ byteLength }) => byteLength > 0).map(({ buffer }) => buffer));
        for (const { buffer } of heard) kept.delete(buffer);
        expect(kept.size).toBe(0);
      },
    ),
    { numRuns: 500 },
  );
});

it('keeps nothing of what a large message was copied out of', () => {
  const { heard, chunks } = send([{ text: false, parts: [{ size: 500_000, pinged: false }] }], [65_536]);
  expect(heard[0]?.byteLength).toBe(500_000);
  expect(chunks.map(({ byteLength }) => byteLength)).toEqual(chunks.map(() => 0));
});

it('gives nothing back where the reader does not say that it is done', () => {
  const memory = new ReadMemory({});
  const chunk = Buffer.from(new ArrayBuffer(10));
  memory.read(chunk);
  memory.done();
  expect(chunk.byteLength).toBe(10);
});
