import type { ParcelPass } from '@coppice/participant';
import {
  CoppiceError,
  HashSchema,
  PARTICIPANT_HEADER,
  RunIdSchema,
  TaskSchema,
  TICKET_HEADER,
  TopologySchema,
  tolerant,
  type WatchInfo,
  WatchInfoSchema,
} from '@coppice/protocol';
import * as z from 'zod/mini';
import { type Requests, read } from './requests.ts';

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

/**
 * One channel of a task at a coordinator. All methods throw as `Requests.get` and `read` do.
 */
export class Releases {
  readonly #models: string;
  readonly #task: string;
  readonly #channel: string;
  readonly #requests: Requests;
  readonly #pass: () => ParcelPass | null;

  /**
   * @param from.url the coordinator, without a slash at its end.
   * @param from.channel a channel, `latest`, or the hash of a checkpoint.
   * @param pass opens a model of a run that is not open; null: there is none. It is shown only where a model is refused.
   */
  constructor(
    from: { readonly url: string; readonly task: string; readonly channel: string },
    requests: Requests,
    pass: () => ParcelPass | null,
  ) {
    this.#pass = pass;
    this.#models = `${from.url}/models/${from.task}`;
    this.#task = `${from.url}/api/tasks/${from.task}`;
    this.#channel = from.channel;
    this.#requests = requests;
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
    const answer = await this.#modelOf(address, cacheOf(freshness)).catch((thrown: unknown) => {
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
    return read(await this.#requests.get(this.#task, cacheOf(freshness)), TaskDataSchema, this.#task);
  }

  /** What is reported of the task's predictions now. */
  async watch(): Promise<WatchInfo> {
    const address = `${this.#task}/watch`;
    return read(await this.#requests.get(address, 'no-cache'), tolerant(WatchInfoSchema), address);
  }

  /** Weights by their hash, unchecked. `anew`: not from the browser's cache, which may hold a damaged copy. */
  async weights(hash: string, anew: boolean): Promise<ArrayBuffer> {
    const address = `${this.#models}/${hash}/weights.bin`;
    return (await this.#modelOf(address, anew ? 'reload' : 'default')).body.buffer;
  }

  async #modelOf(address: string, cache: RequestCache): ReturnType<Requests['get']> {
    try {
      return await this.#requests.get(address, cache);
    } catch (thrown) {
      const pass = this.#pass();
      const isClosed = thrown instanceof CoppiceError && thrown.code === 'run-not-admitted';
      if (pass === null || !isClosed) throw thrown;
      return this.#requests.get(address, cache, {
        [PARTICIPANT_HEADER]: pass.participant,
        [TICKET_HEADER]: pass.ticket,
      });
    }
  }
}

function cacheOf(freshness: Freshness): RequestCache {
  return freshness === 'fresh' ? 'no-cache' : 'force-cache';
}
