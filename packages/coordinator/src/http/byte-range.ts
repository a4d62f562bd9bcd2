import type { IncomingHttpHeaders } from 'node:http';

/** Bytes from `start` on, `end` exclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The part of `size` bytes that a request asks for. `null`: all. `same`: none, since `If-None-Match` names these bytes.
 * `unsatisfiable`: the range begins behind the last byte.
 */
export function rangeOf(
  headers: IncomingHttpHeaders,
  etag: string,
  size: number,
): ByteRange | 'same' | 'unsatisfiable' | null {
  if (namesEtag(headers['if-none-match'], etag)) return 'same';
  const condition = headers['if-range'];
  if (condition !== undefined && condition !== etag) return null;
  const match = /^bytes=(\d*)-(\d*)$/.exec(headers.range ?? '');
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
