import type { ErrorCode, WireError } from '@coppice/protocol';

/** What happens on the coordinator's own machine: its messages name files, addresses and buckets. */
const inside = (code: ErrorCode) =>
  code.startsWith('storage-') || code === 'internal' || code === 'evaluation-failed';

/** An error as people are told it who do not look after the coordinator. The code says as much as before. */
export function outward({ code, message }: WireError): WireError {
  return {
    code,
    message: inside(code)
      ? 'Something went wrong on the coordinator itself. Its log says more, to whoever runs it.'
      : message,
  };
}
