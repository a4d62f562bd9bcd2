import { once } from 'node:events';
import type { Request, Response } from 'express';

/** Bytes written at once: the memory that a slow reader costs beyond the bytes themselves. */
const WRITE_BYTES = 256 * 1024;

/** Bytes that never change under their ETag. */
export interface ConstantBytes {
  readonly bytes: Uint8Array;
  /** With its quotation marks. */
  readonly etag: string;
}

/**
 * Answers a GET or HEAD request with bytes: all of them, or the one range in `Range`. A range that starts after the
 * last byte is answered with 416. Several ranges, an unknown unit, an unreadable `Range`, and a range whose `If-Range`
 * names other bytes are ignored.
 */
export async function sendBytes(
  request: Request,
  response: Response,
  { bytes, etag }: ConstantBytes,
): Promise<void> {
  const size = bytes.byteLength;
  response.type('application/octet-stream').set({ 'Accept-Ranges': 'bytes', ETag: etag });
  if (namesEtag(request.headers['if-none-match'], etag)) {
    response.status(304).end();
    return;
  }
  const range = rangeOf(request, etag, size);
  if (range === 'unsatisfiable') {
    response.status(416).set('Content-Range', `bytes */${size}`);
    const message = `There are ${size} bytes, and the range begins behind them. Leave "Range" out to have all.`;
    response.json({ error: { code: 'body-invalid', message } });
    return;
  }
  const { start, end } = range ?? { start: 0, end: size };
  if (range !== null) response.status(206).set('Content-Range', `bytes ${start}-${end - 1}/${size}`);
  response.set('Content-Length', String(end - start));
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  await write(response, bytes.subarray(start, end));
}

/** Writes bytes no faster than they are read (backpressure). */
async function write(response: Response, bytes: Uint8Array): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  for (let at = 0; at < bytes.byteLength && !response.destroyed; at += WRITE_BYTES) {
    if (response.write(bytes.subarray(at, at + WRITE_BYTES))) continue;
    try {
      await once(response, 'drain', { signal: gone.signal });
    } catch {
      // The reader went away.
      return;
    }
  }
  response.end();
}

/** The requested range, `end` exclusive; `null`: all bytes. */
function rangeOf(
  request: Request,
  etag: string,
  size: number,
): { start: number; end: number } | 'unsatisfiable' | null {
  const condition = request.headers['if-range'];
  if (condition !== undefined && condition !== etag) return null;
  const match = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '');
  if (match === null) return null;
  const [first, last] = [match[1] ?? '', match[2] ?? ''];
  if (first === '') {
    // The last so many bytes.
    if (last === '') return null;
    const suffix = Math.min(Number(last), size);
    return suffix === 0 ? 'unsatisfiable' : { start: size - suffix, end: size };
  }
  if (last !== '' && Number(last) < Number(first)) return null;
  if (Number(first) >= size) return 'unsatisfiable';
  return { start: Number(first), end: last === '' ? size : Math.min(Number(last) + 1, size) };
}

function namesEtag(header: string | undefined, etag: string): boolean {
  return (
    header?.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag) ?? false
  );
}
