import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';

/** A way to the coordinator that keeps every byte that passes. */
export interface Recorder {
  /** The address to open instead of the coordinator's. */
  readonly url: string;
  /** All that browsers sent: HTTP as it was, WebSocket payloads unmasked. */
  sent(): Buffer;
  close(): Promise<void>;
}

export async function record(target: string): Promise<Recorder> {
  const { hostname, port } = new URL(target);
  const streams: Buffer[][] = [];
  const sockets = new Set<Socket>();
  const server = createServer((from) => {
    const to = connect(Number(port), hostname);
    const kept: Buffer[] = [];
    streams.push(kept);
    for (const socket of [from, to]) {
      sockets.add(socket);
      socket.on('error', () => {
        from.destroy();
        to.destroy();
      });
      socket.on('close', () => sockets.delete(socket));
    }
    from.on('data', (chunk) => kept.push(chunk));
    from.pipe(to);
    to.pipe(from);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent: () => Buffer.concat(streams.map((chunks) => unmask(Buffer.concat(chunks)))),
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Browsers mask what they send over WebSocket (RFC 6455, 5.3); a search must see through it. */
export function unmask(stream: Buffer): Buffer {
  const headerEnd = stream.indexOf('\r\n\r\n');
  if (headerEnd < 0 || !/upgrade: websocket/i.test(stream.subarray(0, headerEnd).toString('latin1')))
    return stream;
  const parts: Buffer[] = [stream.subarray(0, headerEnd + 4)];
  let at = headerEnd + 4;
  while (at + 2 <= stream.length) {
    let length = (stream[at + 1] as number) & 0x7f;
    let header = 2;
    if (length === 126) {
      length = stream.readUInt16BE(at + 2);
      header = 4;
    } else if (length === 127) {
      length = Number(stream.readBigUInt64BE(at + 2));
      header = 10;
    }
    const mask = stream.subarray(at + header, at + header + 4);
    const payload = Buffer.from(stream.subarray(at + header + 4, at + header + 4 + length));
    for (let i = 0; i < payload.length; i++) payload[i] = (payload[i] as number) ^ (mask[i & 3] as number);
    parts.push(payload);
    at += header + 4 + length;
  }
  return Buffer.concat(parts);
}

/** Something to look for in a recording. */
interface Needle {
  readonly example: number;
  readonly form: string;
  readonly bytes: Buffer;
}

/** With the place of the four bytes by which it is looked for. */
interface Marked extends Needle {
  readonly offset: number;
}

/** Which of the examples occur in a recording, and in which of the forms in which they might travel. One pass for all of them. */
export function findExamples(
  recording: Buffer,
  examples: readonly Uint8Array[],
): { readonly example: number; readonly form: string }[] {
  /** By four bytes of theirs; and which pairs these begin with, since a look there is quicker. */
  const byMark = new Map<number, Marked[]>();
  const begins = new Uint8Array(65_536);
  for (const needle of examples.flatMap(formsOf)) {
    const offset = markOf(needle.bytes);
    const mark = needle.bytes.readUInt32LE(offset);
    byMark.set(mark, [...(byMark.get(mark) ?? []), { ...needle, offset }]);
    begins[mark & 0xffff] = 1;
  }
  const found = new Map<string, { example: number; form: string }>();
  for (let at = 0; at + 4 <= recording.length; at++) {
    if (begins[(recording[at] as number) | ((recording[at + 1] as number) << 8)] === 0) continue;
    for (const { example, form, bytes, offset } of byMark.get(recording.readUInt32LE(at)) ?? []) {
      const from = at - offset;
      const to = from + bytes.length;
      if (from >= 0 && to <= recording.length && bytes.compare(recording, from, to) === 0)
        found.set(`${example} ${form}`, { example, form });
    }
  }
  return [...found.values()];
}

/** Where the four most different bytes begin: an update has long runs of zeros, as blank paper has. */
function markOf(bytes: Buffer): number {
  let best = 0;
  let most = 0;
  for (let from = 0; from + 4 <= bytes.length; from++) {
    const different = new Set(bytes.subarray(from, from + 4));
    different.delete(0);
    if (different.size > most) {
      most = different.size;
      best = from;
    }
  }
  return best;
}

function formsOf(pixels: Uint8Array, example: number): Needle[] {
  const from = busiest(pixels, 48);
  const window = pixels.subarray(from, from + 48);
  const scaled = Float32Array.from(window, (pixel) => pixel / 255);
  const forms: [string, Buffer][] = [
    ['bytes', Buffer.from(window)],
    ['float32', Buffer.from(scaled.buffer)],
    ['raw float32', Buffer.from(Float32Array.from(window).buffer)],
    ['JSON of bytes', Buffer.from([...window].join(','))],
    ['JSON of numbers', Buffer.from([...window].map((pixel) => pixel / 255).join(','))],
    // Three alignments of base64, without the characters that depend on neighbours.
    ...[0, 1, 2].map((shift): [string, Buffer] => [
      'base64',
      Buffer.from(Buffer.from(window.subarray(shift)).toString('base64').slice(0, 40)),
    ]),
  ];
  return forms.map(([form, bytes]) => ({ example, form, bytes }));
}

/** Where a window of so many pixels holds the most different values: blank paper proves nothing. */
function busiest(pixels: Uint8Array, size: number): number {
  let best = 0;
  let most = 0;
  for (let from = 0; from + size <= pixels.length; from++) {
    const different = new Set(pixels.subarray(from, from + size)).size;
    if (different > most) {
      most = different;
      best = from;
    }
  }
  return best;
}
