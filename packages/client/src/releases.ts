import type { Clock } from '@coppice/ports';
import {
  type Channel,
  CoppiceError,
  firstIssue,
  HashSchema,
  parseSafely,
  RunIdSchema,
  SILENCE_TIMEOUT,
  TaskSchema,
  TopologySchema,
  tolerant,
  type WatchInfo,
  WatchInfoSchema,
} from '@coppice/protocol';
import * as z from 'zod/mini';

/** The part of `model.json` that is read. */
const DescriptionSchema = z.object({
  modelTopology: TopologySchema,
  userDefinedMetadata: z.object({
    coppice: z.object({
      checkpoint: HashSchema,
      run: RunIdSchema,
      round: z.int().check(z.nonnegative()),
      recipe: HashSchema,
    }),
  }),
});

/** The part of a task that is read. */
const TaskDataSchema = tolerant(z.pick(TaskSchema, { data: true, loss: true }));
export type TaskData = z.infer<typeof TaskDataSchema>;

/** A checkpoint that a channel names. */
export interface Released {
  readonly etag: string | null;
  readonly topology: z.infer<typeof TopologySchema>;
  /** SHA-256 of the weights. */
  readonly hash: string;
  /** `<run>/<round>`. */
  readonly checkpoint: string;
  /** The hash of the recipe that the model is for. */
  readonly recipe: string;
}

/**
 * The use of the browser's cache: `fresh` asks the coordinator whether what is kept is current, `kept` takes what is
 * kept without asking.
 */
export type Freshness = 'fresh' | 'kept';

/** An answer that is here as a whole. */
interface Answer {
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
}

/**
 * One channel of a task at a coordinator. All methods throw a `CoppiceError`: the coordinator's own, `connection-lost`,
 * `message-invalid`; and the reason of the signal's abort.
 */
export class Releases {
  readonly #models: string;
  readonly #task: string;
  readonly #channel: Channel;
  readonly #request: typeof fetch;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;

  /** @param from.url the coordinator, without a slash at its end. `from.signal` ends all requests. */
  constructor(
    from: { readonly url: string; readonly task: string; readonly channel: Channel },
    how: { readonly request: typeof fetch; readonly clock: Clock; readonly signal: AbortSignal },
  ) {
    this.#models = `${from.url}/models/${from.task}`;
    this.#task = `${from.url}/api/tasks/${from.task}`;
    this.#channel = from.channel;
    this.#request = how.request;
    this.#clock = how.clock;
    this.#signal = how.signal;
  }

  /**
   * The checkpoint that the channel names now, or the one with a hash: `null` for none, `unchanged` where the answer has the tag `known`. The
   * browser sends the tag of what it keeps, and gets a few bytes where nothing moved.
   */
  async named(
    freshness: Freshness,
    known: string | null,
    hash: string | null = null,
  ): Promise<Released | 'unchanged' | null> {
    const address = `${this.#models}/${hash ?? this.#channel}/model.json`;
    const answer = await this.#get(address, cacheOf(freshness)).catch((thrown: unknown) => {
      if (thrown instanceof CoppiceError && thrown.code === 'checkpoint-unknown') return null;
      throw thrown;
    });
    if (answer === null) return null;
    const etag = answer.headers.get('ETag');
    if (etag !== null && etag === known) return 'unchanged';
    const { modelTopology, userDefinedMetadata } = read(answer, DescriptionSchema, address);
    const { checkpoint, run, round, recipe } = userDefinedMetadata.coppice;
    return { etag, topology: modelTopology, hash: checkpoint, checkpoint: `${run}/${round}`, recipe };
  }

  /** The task's data and loss. */
  async task(freshness: Freshness): Promise<TaskData> {
    return read(await this.#get(this.#task, cacheOf(freshness)), TaskDataSchema, this.#task);
  }

  /** What is reported of the task's predictions now. */
  async watch(): Promise<WatchInfo> {
    const address = `${this.#task}/watch`;
    return read(await this.#get(address, 'no-cache'), tolerant(WatchInfoSchema), address);
  }

  /** Weights by their hash, unchecked. `anew`: not from the browser's cache, which may hold a damaged copy. */
  async weights(hash: string, anew: boolean): Promise<ArrayBuffer> {
    const address = `${this.#models}/${hash}/weights.bin`;
    return (await this.#get(address, anew ? 'reload' : 'default')).body.buffer;
  }

  async #get(address: string, cache: RequestCache): Promise<Answer> {
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
      const response = await this.#request(address, { cache, credentials: 'omit', signal });
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

/** @throws CoppiceError `message-invalid` */
function read<T extends z.ZodMiniType>({ body }: Answer, schema: T, address: string): z.infer<T> {
  const parsed = parseSafely(schema, jsonOf(body));
  if (parsed.success) return parsed.data as z.infer<T>;
  throw new CoppiceError(
    'message-invalid',
    `The answer of ${address} cannot be understood: ${firstIssue(parsed.error)}. Check the address; the coordinator may be of another version than this page.`,
  );
}

function cacheOf(freshness: Freshness): RequestCache {
  return freshness === 'fresh' ? 'no-cache' : 'force-cache';
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
