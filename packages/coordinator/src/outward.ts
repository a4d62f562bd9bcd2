import type { ErrorCode, WireError } from '@coppice/protocol';

/** What happens on the coordinator's own machine: its messages name files, addresses and buckets. */
const inside = (code: ErrorCode) =>
  code.startsWith('storage-') || code === 'internal' || code === 'evaluation-failed';

/**
 * An error as participants hear it: without its facts, and with another message where it is the coordinator's own
 * business. Code and advice stay as they were.
 */
export function outward({ code, message, retry, retryAfter }: WireError): WireError {
  return {
    code,
    message: inside(code) ? 'The coordinator has a problem of its own. Its log says more.' : message,
    ...(retry === undefined ? {} : { retry }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
}
