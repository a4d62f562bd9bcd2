import type { Clock } from '@coppice/ports';
import { CoppiceError, firstIssue, parseSafely, SILENCE_TIMEOUT } from '@coppice/protocol';
import type * as z from 'zod/mini';

/** An answer that is here as a whole. */
interface Answer {
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Requests to a coordinator's public routes. */
export class Requests {
  readonly #request: typeof fetch;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;

  /** @param how.signal ends all requests. */
  constructor(how: { readonly request: typeof fetch; readonly clock: Clock; readonly signal: AbortSignal }) {
    this.#request = how.request;
    this.#clock = how.clock;
    this.#signal = how.signal;
  }

  /**
   * Asks for a whole answer. One of which nothing comes for 45 s is given up.
   *
   * @throws CoppiceError the coordinator's own, `connection-lost`; the reason of the signal's abort.
   */
  async get(address: string, cache: RequestCache, headers: Record<string, string> = {}): Promise<Answer> {
    const silent = new AbortController();
    let cancel = () => {};
    const wait = () => {
      cancel();
      cancel = this.#clock.setTimer(SILENCE_TIMEOUT, () => silent.abort());
    };
    try {
      this.#signal.throwIfAborted();
      wait();
      const signal = AbortSignal.any([this.#signal, silent.signal]);
      const response = await this.#request(address, { cache, credentials: 'omit', headers, signal });
      const body = await wholeBody(response, wait);
      if (response.ok) return { headers: response.headers, body };
      throw this.#refusal(response, body);
    } catch (thrown) {
      if (thrown instanceof CoppiceError) throw thrown;
      this.#signal.throwIfAborted();
      throw new CoppiceError(
        'connection-lost',
        'The coordinator cannot be reached. It is asked again; a model that is here goes on.',
        { cause: thrown },
      );
    } finally {
      cancel();
    }
  }

  #refusal({ headers }: Response, body: Uint8Array): CoppiceError {
    const answer = jsonOf(body) as { error?: unknown } | null | undefined;
    const { code, message, retry, retryAfter } = CoppiceError.fromAnswer(answer?.error);
    const wait = retryAfter ?? waitOf(headers.get('Retry-After'), this.#clock.now());
    return new CoppiceError(code, message, { retry, ...(wait === null ? {} : { retryAfter: wait }) });
  }
}
/** Reads a body to its end; `onBytes` hears of each part. */
async function wholeBody(response: Response, onBytes: () => void): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = response.body?.getReader();
  for (;;) {
    const { done = true, value } = (await reader?.read()) ?? {};
    if (value !== undefined) parts.push(value);
    size += value?.length ?? 0;
    onBytes();
    if (done) break;
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Reads an answer of a known form. @throws CoppiceError `message-invalid` */
export function read<T extends z.ZodMiniType>({ body }: Answer, schema: T, address: string): z.infer<T> {
  const parsed = parseSafely(schema, jsonOf(body));
  if (parsed.success) return parsed.data as z.infer<T>;
  throw new CoppiceError(
    'message-invalid',
    `The answer of ${address} cannot be understood: ${firstIssue(parsed.error)}. Check the address; the coordinator may be of another version than this page.`,
  );
}

/** The value of JSON text in UTF-8; `undefined` where it is none. */
function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}

/** Milliseconds that a `Retry-After` asks for, in seconds or as a date (RFC 9110, 10.2.3); `null` where it says nothing. */
export function waitOf(header: string | null, now: number): number | null {
  if (header === null) return null;
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(wait) ? null : Math.max(0, wait);
}
