import type { ErrorCode, WireError } from '@coppice/protocol';

/** Codes of internal errors, whose messages name files, addresses and buckets. */
const inside = (code: ErrorCode) =>
  code.startsWith('storage-') || code === 'internal' || code === 'evaluation-failed';

/** Redacts an error for participants: without facts, and with a neutral message where it is internal. Code and advice stay. */
export function outward({ code, message, retry, retryAfter }: WireError): WireError {
  return {
    code,
    message: inside(code) ? 'The coordinator has a problem of its own. Its log says more.' : message,
    ...(retry === undefined ? {} : { retry }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
}
