import type { ErrorCode, WireError } from '@coppice/protocol';

/** What happens on the coordinator's own machine: its messages name files, addresses and buckets. */
const inside = (code: ErrorCode) =>
  code.startsWith('storage-') || code === 'internal' || code === 'evaluation-failed';

/** Replaces the message of an error that is the coordinator's own business. Code and advice stay as they were. */
export function outward(error: WireError): WireError {
  if (!inside(error.code)) return error;
  return {
    ...error,
    message: 'Something went wrong on the coordinator itself. Its log says more, to whoever runs it.',
  };
}
