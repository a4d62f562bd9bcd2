import type { Clock } from '@coppice/ports';
import {
  CoppiceError,
  firstIssue,
  PARTICIPANT_HEADER,
  parseSafely,
  SILENCE_TIMEOUT,
  TICKET_HEADER,
  TopologySchema,
  tolerant,
  WatchInfoSchema,
  weightsHash,
} from '@coppice/protocol';
import * as z from 'zod/mini';
import type { ParcelPass } from '../parcel-source.ts';
import { type TaskModel, type TaskSource, WatchedTaskSchema } from './task-source.ts';

type Fetch = (address: URL, init: RequestInit) => Promise<Response>;

const ModelSchema = z.object({ modelTopology: TopologySchema });

/**
 * The public routes of a coordinator, for browsers and Node alike. An answer of which nothing comes for 45 s is given up.
 *
 * @param url the coordinator's: what comes behind its host is left out.
 * @param how.request makes the requests; the platform's own `fetch` unless another is given.
 */
export function httpTasks(
  url: string,
  { clock, request = (address, init) => fetch(address, init) }: { clock: Clock; request?: Fetch },
): TaskSource {
  async function get(
    path: string,
    cache: RequestCache,
    pass: ParcelPass | null,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const silent = new AbortController();
    let cancel = () => {};
    const wait = () => {
      cancel();
      cancel = clock.setTimer(SILENCE_TIMEOUT, () => silent.abort());
    };
    try {
      wait();
      const response = await request(new URL(path, url), {
        cache,
        credentials: 'omit',
        ...(pass === null
          ? {}
          : { headers: { [PARTICIPANT_HEADER]: pass.participant, [TICKET_HEADER]: pass.ticket } }),
        signal: silent.signal,
      });
      const body = await wholeBody(response, wait);
      if (response.ok) return body;
      throw CoppiceError.fromAnswer((jsonOf(body) as { error?: unknown } | null | undefined)?.error);
    } catch (cause) {
      if (cause instanceof CoppiceError) throw cause;
      throw new CoppiceError(
        'connection-lost',
        'The coordinator cannot be reached over HTTP. It is asked again.',
        { cause },
      );
    } finally {
      cancel();
    }
  }
  const json = async <T extends z.ZodMiniType>(
    path: string,
    schema: T,
    pass: ParcelPass | null = null,
  ): Promise<z.infer<T>> => {
    const parsed = parseSafely(schema, jsonOf(await get(path, 'no-cache', pass)));
    if (parsed.success) return parsed.data;
    throw new CoppiceError(
      'message-invalid',
      `The answer of ${path} cannot be understood: ${firstIssue(parsed.error)}. The coordinator may be of another version than this program.`,
    );
  };
  const weights = async (folder: string, hash: string, pass: ParcelPass | null): Promise<Float32Array> => {
    // A browser's cache may hold a damaged copy.
    for (const cache of ['default', 'reload'] as const) {
      const { buffer } = await get(`${folder}/weights.bin`, cache, pass);
      const numbers = new Float32Array(buffer.byteLength % 4 === 0 ? buffer : new ArrayBuffer(0));
      if (weightsHash(numbers) === hash) return numbers;
    }
    throw new CoppiceError(
      'frame-invalid',
      'The weights of a model were changed or damaged on their way here. They are not used.',
    );
  };
  return {
    task: (task) => json(`/api/tasks/${task}`, WatchedTaskSchema),
    watch: (task) => json(`/api/tasks/${task}/watch`, tolerant(WatchInfoSchema)),
    async model(task, hash, pass) {
      const folder = `/models/${task}/${hash}`;
      const read = async (shown: ParcelPass | null): Promise<TaskModel> => {
        const { modelTopology } = await json(`${folder}/model.json`, ModelSchema, shown);
        return { topology: modelTopology, weights: await weights(folder, hash, shown) };
      };
      try {
        // Of an open run all have the same model, which caches keep.
        return await read(null);
      } catch (thrown) {
        if (pass === undefined || CoppiceError.from(thrown).code !== 'run-not-admitted') throw thrown;
        return read(pass);
      }
    },
  };
}

/** Reads a body to its end. @param onPart hears of each part. */
async function wholeBody({ body }: Response, onPart: () => void): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const reader = body?.getReader();
  for (;;) {
    const { done = true, value } = (await reader?.read()) ?? {};
    if (value !== undefined) parts.push(value);
    onPart();
    if (done) return new Uint8Array(await new Blob(parts).arrayBuffer());
  }
}

/** The value of JSON text in UTF-8; `undefined` where it is none. */
function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}
