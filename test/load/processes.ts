import { type ChildProcess, fork } from 'node:child_process';
import { setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import type {
  Counts,
  FromCoordinator,
  FromParticipants,
  ToCoordinator,
  ToParticipants,
  Usage,
} from './messages.ts';

function start(file: string, execArgv: readonly string[]): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: [...execArgv],
  });
}

function next<T extends { kind: string }, K extends T['kind']>(
  child: ChildProcess,
  kind: K,
): Promise<Extract<T, { kind: K }>> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      child.off('message', heard);
      child.off('exit', ended);
    };
    const heard = (message: T) => {
      if (message.kind !== kind) return;
      stop();
      resolve(message as Extract<T, { kind: K }>);
    };
    const ended = (code: number | null) => {
      stop();
      reject(new Error(`a process of the test ended with code ${code}`));
    };
    child.on('message', heard);
    child.on('exit', ended);
  });
}

/** A coordinator in a process of its own. */
export class CoordinatorProcess {
  readonly #child: ChildProcess;
  readonly url: string;
  readonly key: string;

  private constructor(child: ChildProcess, url: string, key: string) {
    this.#child = child;
    this.url = url;
    this.key = key;
  }

  static async start(execArgv: readonly string[] = []): Promise<CoordinatorProcess> {
    const child = start('./coordinator.ts', ['--expose-gc', ...execArgv]);
    const { url, key } = await next<FromCoordinator, 'ready'>(child, 'ready');
    return new CoordinatorProcess(child, url, key);
  }

  async phase(phase: string): Promise<void> {
    const answer = next<FromCoordinator, 'phase'>(this.#child, 'phase');
    this.#child.send({ kind: 'phase', phase } satisfies ToCoordinator);
    await answer;
  }

  async usage({ collectGarbage = false } = {}): Promise<Usage> {
    const answer = next<FromCoordinator, 'usage'>(this.#child, 'usage');
    this.#child.send({ kind: 'usage', collectGarbage } satisfies ToCoordinator);
    return answer;
  }

  async post<T>(path: string, body?: unknown): Promise<T> {
    const response = await fetch(this.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.key}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()) as T;
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(this.url + path, { headers: { authorization: `Bearer ${this.key}` } });
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()) as T;
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.disconnect();
    await ended;
  }
}

const none: Counts = { joined: 0, asked: 0, acknowledged: 0, refused: 0, ended: 0, closed: 0 };

/** Niceness of participants: in the field they have processors of their own, so here the coordinator takes precedence. */
const GIVES_WAY = 10;

/** Participants, distributed over processes. */
export class ParticipantProcesses {
  readonly #children: readonly ChildProcess[];
  readonly #counts: Counts[];
  #watching: (() => void)[] = [];

  constructor(processes: number) {
    this.#children = Array.from({ length: processes }, () => start('./participants.ts', []));
    for (const { pid } of this.#children) if (pid !== undefined) setPriority(pid, GIVES_WAY);
    this.#counts = this.#children.map(() => none);
    for (const [i, child] of this.#children.entries())
      child.on('message', (message: FromParticipants) => {
        if (message.kind !== 'counts') return;
        this.#counts[i] = message;
        for (const look of this.#watching) look();
      });
  }

  get counts(): Counts {
    const total = { ...none };
    for (const counts of this.#counts)
      for (const key of Object.keys(total) as (keyof Counts)[]) total[key] += counts[key];
    return total;
  }

  connect(options: Omit<Extract<ToParticipants, { kind: 'connect' }>, 'kind'>): void {
    const share = options.count / this.#children.length;
    for (const [i, child] of this.#children.entries()) {
      const count = Math.floor((i + 1) * share) - Math.floor(i * share);
      const name = `${options.name} ${i}`;
      child.send({ kind: 'connect', ...options, name, count } satisfies ToParticipants);
    }
  }

  deliver(): void {
    for (const child of this.#children) child.send({ kind: 'deliver' } satisfies ToParticipants);
  }

  /** Resolves once the counts satisfy `reached`. Rejects when a connection was lost or an update refused. */
  until(reached: (counts: Counts) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const { counts } = this;
        const lost = counts.closed > 0 || counts.refused > 0;
        if (!lost && !reached(counts)) return;
        this.#watching = this.#watching.filter((other) => other !== look);
        if (lost)
          reject(new Error(`${counts.closed} connections were lost, ${counts.refused} updates refused`));
        else resolve();
      };
      this.#watching.push(look);
      look();
    });
  }

  /** CPU milliseconds of all of them since their start. */
  async cpu(): Promise<number> {
    const answers = this.#children.map(async (child) => {
      const answer = next<FromParticipants, 'usage'>(child, 'usage');
      child.send({ kind: 'usage' } satisfies ToParticipants);
      return (await answer).cpu;
    });
    return (await Promise.all(answers)).reduce((sum, cpu) => sum + cpu, 0);
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#children.map((child) => {
        const ended = new Promise((resolve) => child.once('exit', resolve));
        child.send({ kind: 'close' } satisfies ToParticipants);
        return ended;
      }),
    );
  }
}
