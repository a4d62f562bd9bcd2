import {
  adminMessages,
  CoppiceError,
  type CreateRun,
  type Firing,
  type MoveChannel,
  type NewRunInvitation,
  type PeriodSummary,
  type PolicyInfo,
  type PutPolicy,
  parseMessage,
  type Release,
  type Releases,
  type Round,
  type Run,
  type RunAction,
  type TaskInfo,
  type WatchInfo,
} from '@coppice/protocol';
import { io, type Socket } from 'socket.io-client';

export interface RunWatcher {
  /** A round was committed or abandoned. Called again for a round when a late metric is added. */
  onRound(round: Round): void;
  onRun(run: Run): void;
}

/** An admin's connection to a coordinator: HTTP for actions, a socket for events, both surviving its restarts. */
export class CoordinatorLink {
  readonly #url: string;
  readonly #key: string;
  readonly #closed = new AbortController();
  #socket: Socket | null = null;

  constructor(url: string, key: string) {
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
      transports: ['websocket'],
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
    let response: Response;
    try {
      response = await fetch(this.#url + path, {
        method,
        headers: {
          authorization: `Bearer ${this.#key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.any([
          this.#closed.signal,
          ...(wait === undefined ? [] : [AbortSignal.timeout(wait)]),
        ]),
      });
    } catch (cause) {
      throw new CoppiceError(
        'connection-lost',
        `The coordinator at ${this.#url} does not answer. Is it running there?`,
        { cause },
      );
    }
    const answer = (await response.json().catch(() => null)) as (T & { error?: unknown }) | null;
    if (!response.ok || answer === null) throw CoppiceError.fromAnswer(answer?.error);
    return answer;
  }
}
