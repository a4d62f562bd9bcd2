import {
  adminMessages,
  CoppiceError,
  type CreateRun,
  type CreateTask,
  type Firing,
  type MoveChannel,
  type NewRunInvitation,
  type ParticipantRow,
  type PeriodSummary,
  type Plan,
  type PolicyInfo,
  type PutPolicy,
  parseMessage,
  REST_TIMEOUT,
  type Release,
  type Releases,
  type Round,
  type Run,
  type RunAction,
  type RunSummary,
  type TaskInfo,
  type WatchInfo,
} from '@coppice/protocol';
import { io, type Socket } from 'socket.io-client';

/** The content of a `model.json`. */
export interface LayersModel {
  readonly weightsManifest: readonly {
    readonly paths: readonly string[];
    readonly weights: readonly object[];
  }[];
  readonly [key: string]: unknown;
}

export interface RunWatcher {
  /** A round was committed or abandoned. Called again for a round when a late metric is added. */
  onRound(round: Round): void;
  onRun(run: Run): void;
}

/** An admin's connection to a coordinator: HTTP for actions, a socket for events, both surviving its restarts. */
export class CoordinatorLink {
  readonly #url: string;
  readonly #key: string | null;
  readonly #closed = new AbortController();
  #socket: Socket | null = null;

  /** @param key of an admin; `null`: only what is public is asked for. */
  constructor(url: string, key: string | null) {
    this.#url = url;
    this.#key = key;
  }

  tasks(): Promise<TaskInfo[]> {
    return this.request('GET', '/api/tasks');
  }

  createRun(run: CreateRun): Promise<Run> {
    return this.request('POST', '/api/runs', run);
  }

  /** @returns the secret of an invitation to a run for `uses` participants. */
  async invite(run: string, uses: number): Promise<string> {
    const made = await this.request<NewRunInvitation>('POST', `/api/runs/${run}/invitations`, {
      label: 'pnpm simulate',
      uses,
    });
    return made.secret;
  }

  /** @param wait milliseconds to wait for the answer; left out, without limit. */
  act(run: string, action: RunAction, wait?: number): Promise<Run> {
    return this.request('POST', `/api/runs/${run}/${action}`, undefined, wait);
  }

  /** All runs, each as the public sees it, and whole with a key. */
  runs(): Promise<RunSummary[]> {
    return this.request('GET', '/api/runs');
  }

  planOf(run: string): Promise<Plan> {
    return this.request('GET', `/api/runs/${run}/plan`);
  }

  participantsOf(run: string): Promise<ParticipantRow[]> {
    return this.request('GET', `/api/runs/${run}/participants`);
  }

  createTask(task: CreateTask): Promise<TaskInfo> {
    return this.request('POST', '/api/tasks', task);
  }

  /** Sends the weights of a task that is yet to be made. @param file in the form of safetensors. */
  sendWeights(file: Uint8Array<ArrayBuffer>): Promise<{ readonly hash: string }> {
    return this.request('POST', '/api/weights', file);
  }

  /** The last model of a run as tfjs loads it: the content of `model.json`, and its weights in one file. */
  async model(task: string, run: string): Promise<{ topology: LayersModel; weights: Uint8Array }> {
    const base = `/models/${task}/runs/${run}/latest/`;
    const topology = await this.request<LayersModel>('GET', `${base}model.json`, undefined, REST_TIMEOUT);
    const parts: Uint8Array[] = [];
    for (const { paths } of topology.weightsManifest)
      for (const path of paths) {
        const { pathname } = new URL(path, new URL(base, this.#url));
        const answer = await this.#send('GET', pathname);
        if (!answer.ok)
          throw new CoppiceError('checkpoint-unknown', `The weights at ${pathname} could not be read.`);
        parts.push(new Uint8Array(await answer.arrayBuffer()));
      }
    const manifest = topology.weightsManifest.flatMap(({ weights }) => weights);
    return {
      topology: { ...topology, weightsManifest: [{ paths: ['weights.bin'], weights: manifest }] },
      weights: Buffer.concat(parts),
    };
  }

  run(run: string): Promise<Run> {
    return this.request('GET', `/api/runs/${run}`);
  }

  rounds(run: string): Promise<Round[]> {
    return this.request('GET', `/api/runs/${run}/rounds`);
  }

  releases(task: string): Promise<Releases> {
    return this.request('GET', `/api/tasks/${task}/releases`);
  }

  moveChannel(task: string, move: MoveChannel): Promise<Release> {
    return this.request('POST', `/api/tasks/${task}/releases`, move);
  }

  policy(task: string): Promise<PolicyInfo> {
    return this.request('GET', `/api/tasks/${task}/policy`);
  }

  putPolicy(task: string, policy: PutPolicy): Promise<PolicyInfo> {
    return this.request('PUT', `/api/tasks/${task}/policy`, policy);
  }

  watchInfo(task: string): Promise<WatchInfo> {
    return this.request('GET', `/api/tasks/${task}/watch`);
  }

  /** The last `limit` periods of a task, the newest first. */
  periods(task: string, limit: number): Promise<PeriodSummary[]> {
    return this.request('GET', `/api/tasks/${task}/drift?summary=1&limit=${limit}`);
  }

  /** The last 50 firings of a task, the newest first. */
  firings(task: string): Promise<Firing[]> {
    return this.request('GET', `/api/tasks/${task}/firings`);
  }

  /** Watches a run. After an interruption, missed events are caught up. */
  watch(run: string, watcher: RunWatcher, failed: (error: Error) => void): void {
    const socket = io(`${this.#url}/admin`, {
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
      auth: { key: this.#key },
      reconnectionDelayMax: 2000,
    });
    this.#socket = socket;
    // Live events wait for missed ones, so that rounds are reported in order.
    let caughtUp: Promise<void> = Promise.resolve();
    let done = () => {};
    socket.on('connect', () => {
      ({ promise: caughtUp, resolve: done } = Promise.withResolvers<void>());
    });
    socket.on('snapshot', () => {
      const release = done;
      // Rounds first: the run's end is told after its last round.
      this.rounds(run)
        .then(async (rounds) => {
          for (const round of rounds) watcher.onRound(round);
          watcher.onRun(await this.run(run));
        })
        .catch((thrown: unknown) => {
          if (socket.connected) failed(thrown as Error);
        })
        .finally(release);
    });
    socket.on('round', (message: unknown) => {
      const round = parseMessage('round', adminMessages.round, message);
      if (round.run === run) void caughtUp.then(() => watcher.onRound(round));
    });
    socket.on('run', (message: unknown) => {
      const changed = parseMessage('run', adminMessages.run, message);
      if (changed.id === run) void caughtUp.then(() => watcher.onRun(changed));
    });
    socket.on('connect_error', (error: Error & { data?: unknown }) => {
      if (error.data !== undefined) failed(CoppiceError.fromAnswer(error.data));
    });
  }

  /** Aborts pending requests, too: a closing coordinator would wait for them. */
  close(): void {
    this.#closed.abort();
    this.#socket?.disconnect();
  }

  /**
   * Sends a request with the admin's key.
   *
   * @param wait milliseconds to wait for the answer; left out, without limit.
   * @throws CoppiceError the refusal; `connection-lost` where nothing answers.
   */
  async request<T>(method: string, path: string, body?: unknown, wait?: number): Promise<T> {
    const response = await this.#send(method, path, body, wait);
    const answer = (await response.json().catch(() => null)) as (T & { error?: unknown }) | null;
    if (!response.ok || answer === null) throw CoppiceError.fromAnswer(answer?.error);
    return answer;
  }

  async #send(method: string, path: string, body?: unknown, wait?: number): Promise<Response> {
    try {
      return await fetch(this.#url + path, {
        method,
        headers: {
          ...(this.#key === null ? {} : { authorization: `Bearer ${this.#key}` }),
          ...contentOf(body).headers,
        },
        ...contentOf(body).body,
        signal: AbortSignal.any([
          this.#closed.signal,
          ...(wait === undefined ? [] : [AbortSignal.timeout(wait)]),
        ]),
      });
    } catch (cause) {
      throw new CoppiceError('connection-lost', unreachable(this.#url, cause), { cause });
    }
  }
}

/** The parts of a request with a body: bytes as they are, anything else as JSON. */
function contentOf(body: unknown) {
  if (body === undefined) return { headers: {}, body: {} };
  if (body instanceof Uint8Array)
    return {
      headers: { 'content-type': 'application/octet-stream' },
      body: { body: body as Uint8Array<ArrayBuffer> },
    };
  return { headers: { 'content-type': 'application/json' }, body: { body: JSON.stringify(body) } };
}

/** Codes of Node for certificates that no known authority has signed. */
const UNKNOWN_AUTHORITY = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
];

/** The message for a request without an answer, with its cause for the person at the terminal. */
export function unreachable(url: string, thrown: unknown): string {
  const { cause = thrown } = thrown as { cause?: unknown };
  const { code = '', message = '' } = cause as { code?: string; message?: string };
  if (UNKNOWN_AUTHORITY.includes(code))
    return `The certificate of ${url} is signed by no authority that this program knows (${code}). Where it is your own, set NODE_EXTRA_CA_CERTS to the file with its certificate or its authority's.`;
  if (code.startsWith('ERR_TLS') || code.startsWith('CERT_'))
    return `The certificate of ${url} cannot be used: ${message} (${code}).`;
  const reason = code === '' ? '' : ` (${code})`;
  return `The coordinator at ${url} does not answer${reason}. Is it running there?`;
}
