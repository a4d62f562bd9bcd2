import { type ChildProcess, execFile, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from '@coppice/coordinator/free-port';
import { partition } from '@coppice/datasets';
import { loadTaskData } from '@coppice/datasets/node';
import type { Session } from '@coppice/participant';
import { createHeadlessParticipant, trainerHost } from '@coppice/participant/node';
import type { Plan, PlanInputValues, Round, Run } from '@coppice/protocol';
import { createTrainer } from '@coppice/training';
import type { Failpoint } from './failpoints.ts';
import type { Orders } from './killable-coordinator.ts';
import { type LedgerLine, readLedger } from './ledger.ts';

const ENTRY = fileURLToPath(new URL('./killable-coordinator.ts', import.meta.url));
const MAIN = fileURLToPath(new URL('../../packages/coordinator/src/main.ts', import.meta.url));
const KEY = 'the-key-of-this-test';

/** A data folder with its consecutive coordinators, always at the same address. */
export class Lives {
  readonly folder = mkdtempSync(join(tmpdir(), 'coppice-chaos-'));
  readonly #ledger = join(this.folder, 'ledger.jsonl');
  readonly #environment: Readonly<Record<string, string>>;
  #port = 0;
  #child: ChildProcess | null = null;

  /** @param environment variables that locate records and weights. */
  constructor(environment: Readonly<Record<string, string>>) {
    this.#environment = environment;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Starts a coordinator. Resolves when it listens, or when it is dead because its failpoint came first. */
  async begin(failpoint: Failpoint | null = null, { killAfter }: { killAfter?: number } = {}): Promise<void> {
    if (this.#port === 0) this.#port = await freePort();
    const orders: Orders = {
      dataDir: join(this.folder, 'data'),
      environment: this.#environment,
      port: this.#port,
      adminKey: KEY,
      ledger: this.#ledger,
      failpoint,
    };
    const child = fork(ENTRY, [JSON.stringify(orders)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#child = child;
    const timer = killAfter === undefined ? null : setTimeout(() => child.kill('SIGKILL'), killAfter);
    await new Promise<void>((resolve, reject) => {
      child.once('message', () => resolve());
      child.once('exit', (code, signal) => {
        if (timer !== null) clearTimeout(timer);
        if (signal === 'SIGKILL') resolve();
        else reject(new Error(`the coordinator ended with ${code ?? signal}`));
      });
    });
  }

  /** Asks the coordinator to stop, as an init system does. @returns its exit code, `null` where it had to be killed. */
  async stop(): Promise<number | null> {
    const child = this.#child as ChildProcess;
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    return ended;
  }

  /** Resolves when the coordinator is dead, killed by itself or by this. */
  async death(kill = false): Promise<void> {
    const child = this.#child;
    if (child === null || child.signalCode !== null || child.exitCode !== null) return;
    const dead = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    if (kill) child.kill('SIGKILL');
    await dead;
  }

  /** Runs `pnpm backup` or `pnpm restore` on the data folder, or on one beside it. @throws where it fails. */
  async copy(
    command: 'backup' | 'restore',
    folder: string,
    { data = 'data', environment = this.#environment } = {},
  ): Promise<void> {
    await promisify(execFile)(
      process.execPath,
      [MAIN, command, folder, '--data-dir', join(this.folder, data)],
      { env: { ...process.env, ...environment } },
    );
  }

  ledger(): LedgerLine[] {
    return readLedger(this.#ledger);
  }

  /** @throws where the coordinator does not answer with success. */
  async api<T>(method: 'GET' | 'POST', path: string, body?: object): Promise<T> {
    const response = await fetch(`${this.url}/api${path}`, {
      method,
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  async end(): Promise<void> {
    await this.death(true);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A plan in which all clients train in every round, and no timer cuts one off. */
export const everybody = (clients: number, rounds: number): PlanInputValues => ({
  seed: 7,
  rounds,
  epochs: 1,
  minParticipants: clients,
  overSelection: 1,
  quorum: 0,
  deadlineSeconds: 86_400,
  graceSeconds: 3600,
  evaluationShare: 0.25,
});

const cleanUp: (() => unknown)[] = [];

/** Ends everything that `startRuns` began, the last first. */
export async function stopAll(): Promise<void> {
  for (const step of cleanUp.splice(0).reverse()) await step();
}

/** Starts a coordinator with one run, under way. */
export async function startRuns(
  size: { clients: number; rounds: number; plan?: Partial<Plan> },
  environment: Readonly<Record<string, string>> = {},
): Promise<{ lives: Lives; run: string }> {
  const lives = new Lives(environment);
  cleanUp.push(() => lives.end());
  await lives.begin();
  const { run, sessions } = await startRun(lives, size);
  for (const session of sessions) cleanUp.push(() => session.close());
  return { lives, run };
}

/** Makes a run of Iris, lets participants with shares of its data join, and starts it. */
async function startRun(
  lives: Lives,
  { clients, rounds, plan }: { clients: number; rounds: number; plan?: Partial<Plan> },
): Promise<{ run: string; sessions: Session[] }> {
  const { id: run } = await lives.api<Run>('POST', '/runs', {
    task: 'iris',
    plan: { ...everybody(clients, rounds), ...plan },
    start: false,
  });
  const { train } = await loadTaskData('iris');
  const host = trainerHost(createTrainer, ['cpu']);
  const width = train.features.length / train.count;
  const shares = partition(train.labels, clients, { kind: 'iid' }, 7);
  const sessions = shares.map((rows, index) =>
    createHeadlessParticipant({
      url: lives.url,
      identity: `chaos/${index}`,
      examples: {
        count: rows.length,
        features: Float32Array.from(
          [...rows].flatMap((row) => [...train.features.subarray(row * width, (row + 1) * width)]),
        ),
        labels: Float32Array.from(rows, (row) => train.labels[row] as number),
      },
      host,
      backend: 'cpu',
    }),
  );
  await Promise.all(
    sessions.map(async (session) => {
      const waiting = new Promise<void>((resolve) => {
        session.subscribe(({ joined, activity }) => {
          if (joined !== null && activity.kind === 'waiting') resolve();
        });
      });
      session.connect();
      await session.join(run);
      await waiting;
    }),
  );
  await lives.api('POST', `/runs/${run}/start`);
  return { run, sessions };
}

/** Repeats a question until its answer is yes, also while the coordinator is down. */
export async function until(question: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    if (await question().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export async function committedRounds(lives: Lives, run: string): Promise<Round[]> {
  const rounds = await lives.api<Round[]>('GET', `/runs/${run}/rounds`);
  return rounds.filter(({ outcome }) => outcome === 'committed');
}

/** Resolves with the run once it is finished. */
export async function finished(
  { lives, run }: { lives: Lives; run: string },
  signal: AbortSignal,
): Promise<Run> {
  const { promise, resolve } = Promise.withResolvers<Run>();
  await until(async () => {
    const now = await lives.api<Run>('GET', `/runs/${run}`);
    if (now.status === 'finished') resolve(now);
    return now.status === 'finished';
  }, signal);
  return promise;
}
