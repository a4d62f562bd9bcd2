import { CoppiceError, type ErrorCode, PARTICIPANT_HEADER, TICKET_HEADER } from '@coppice/protocol';
import type { ParcelAddress, ParcelPass, ParcelSource } from './parcel-source.ts';

type Fetch = (address: URL, init: RequestInit) => Promise<Response>;

/**
 * Parcels over HTTP, from the coordinator at an address: `GET /api/runs/<run>/parcels/<hash>`.
 *
 * @param url the coordinator's, as it was given to its transport: what comes behind its host is left out.
 * @param request makes the requests; the platform's own `fetch` unless another is given.
 */
export function httpParcels(
  url: string,
  request: Fetch = (address, init) => fetch(address, init),
): ParcelSource {
  const sent = { messages: 0, bytes: 0 };
  const received = { messages: 0, bytes: 0 };

  async function answerTo(
    address: ParcelAddress,
    from: number,
    { pass, signal }: { pass: ParcelPass; signal: AbortSignal },
  ): Promise<Response> {
    const { run, hash, codec } = address;
    const at = new URL(`/api/runs/${run}/parcels/${hash}?codec=${codec}`, url);
    const headers = {
      [PARTICIPANT_HEADER]: pass.participant,
      [TICKET_HEADER]: pass.ticket,
      // No `If-Range`: bytes behind an address never change, and browsers leave their caches out where it is sent.
      ...(from === 0 ? {} : { Range: `bytes=${from}-` }),
    };
    sent.messages++;
    sent.bytes += at.pathname.length + at.search.length + Object.values(headers).join('').length;
    let response: Response;
    try {
      // A redirection is not followed: it would take the ticket elsewhere.
      response = await request(at, { headers, redirect: 'manual', signal });
    } catch (cause) {
      signal.throwIfAborted();
      throw lost(cause);
    }
    received.messages++;
    return response;
  }

  async function* read(
    address: ParcelAddress,
    from: number,
    options: { pass: ParcelPass; signal: AbortSignal },
  ): AsyncGenerator<Uint8Array> {
    const { signal } = options;
    const response = await answerTo(address, from, options);
    const reader = response.body?.getReader();
    try {
      if (response.status !== 200 && response.status !== 206) throw await refusal(response, reader);
      ensureParcel(response, address, from);
      let at = response.status === 206 ? from : 0;
      for (;;) {
        const part = await nextPart(reader, signal);
        if (part === null) break;
        received.bytes += part.byteLength;
        if (at + part.byteLength > address.bytes) throw anotherAnswer('has more bytes than the parcel');
        // All of it came, though less was asked for.
        const known = Math.max(0, Math.min(from - at, part.byteLength));
        at += part.byteLength;
        if (known < part.byteLength) yield part.subarray(known);
      }
      if (at < address.bytes) throw lost();
    } finally {
      reader?.cancel().catch(() => {});
    }
  }

  return {
    read,
    get traffic() {
      return { sent: { ...sent }, received: { ...received } };
    },
  };
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;

/** @returns `null` at the end. @throws CoppiceError `connection-lost` */
async function nextPart(reader: Reader | undefined, signal: AbortSignal): Promise<Uint8Array | null> {
  try {
    const { done, value } = (await reader?.read()) ?? { done: true };
    return done ? null : (value ?? null);
  } catch (cause) {
    signal.throwIfAborted();
    throw lost(cause);
  }
}

/** @throws CoppiceError `message-invalid` where an answer is not the payload, from its beginning or the byte asked for. */
function ensureParcel({ status, headers }: Response, { bytes }: ParcelAddress, from: number): void {
  if (!headers.get('content-type')?.startsWith('application/octet-stream'))
    throw anotherAnswer(`has the type "${headers.get('content-type')}"`);
  const range = headers.get('content-range');
  if (status === 206 && range !== `bytes ${from}-${bytes - 1}/${bytes}`)
    throw anotherAnswer(`has the range "${range}"`);
}

/** The longest refusal that is read, in bytes. */
const MAX_REFUSAL_BYTES = 65_536;

/** The error that an answer names; one by its status where a proxy answered in the coordinator's place. */
async function refusal({ status }: Response, reader: Reader | undefined): Promise<CoppiceError> {
  const chunks: Uint8Array[] = [];
  try {
    for (let bytes = 0; bytes < MAX_REFUSAL_BYTES; ) {
      const { done, value } = (await reader?.read()) ?? { done: true };
      if (done || value === undefined) break;
      chunks.push(value);
      bytes += value.byteLength;
    }
    const text = await new Blob(chunks as BlobPart[]).text();
    const named = CoppiceError.fromAnswer((JSON.parse(text) as { error?: unknown }).error);
    if (named.code !== 'internal') return named;
  } catch {
    // No JSON, or a broken line: the status says enough.
  }
  return new CoppiceError(
    codeOf(status),
    `The parcel cannot be fetched over HTTP: the answer has the status ${status}.`,
  );
}

function codeOf(status: number): ErrorCode {
  if (status === 429) return 'rate-limited';
  if (status >= 500) return 'connection-lost';
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'forbidden';
  return status === 404 ? 'not-found' : 'message-invalid';
}

function anotherAnswer(how: string): CoppiceError {
  return new CoppiceError(
    'message-invalid',
    `The answer to a request for a parcel is not the parcel: it ${how}. A proxy may have answered.`,
  );
}

function lost(cause?: unknown): CoppiceError {
  return new CoppiceError('connection-lost', 'The connection broke while a parcel was fetched over HTTP.', {
    cause,
  });
}
