import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Config, noLimits } from '@coppice/coordinator';
import type { Json } from '../conformance/raw-participant.ts';

const ENTRY = fileURLToPath(new URL('./target-process.ts', import.meta.url));
const KEY = 'the-key-of-this-test';

/** Limits that only a fuzz run would reach, raised: the code behind them is to be tested. */
const limits: Partial<Config> = noLimits;

/** The target: a coordinator with a data folder of its own. */
export class Target {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #folder: string;
  /** Log lines at level error and above, and all output that is no log line. */
  readonly complaints: string[] = [];
  /** Rejects when the process ends before it is asked to. */
  readonly died: Promise<never>;
  #ending = false;

  static async begin(): Promise<Target> {
    const folder = mkdtempSync(join(tmpdir(), 'coppice-fuzz-'));
    const config: Partial<Config> = {
      ...limits,
      port: 0,
      dataDir: join(folder, 'data'),
      adminKey: KEY,
      logLevel: 'warn',
      // Makes the coordinator read the headers of proxies.
      trustProxy: 'loopback',
      // Keeps the disk from filling with the models of a long run.
      keepLast: 2,
      keepEvery: 0,
    };
    const child = fork(ENTRY, [JSON.stringify(config)], {
      execArgv: ['--expose-gc'],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const url = await new Promise<string>((resolve, reject) => {
      child.once('message', (message: { url: string }) => resolve(message.url));
      child.once('exit', (code, signal) => reject(new Error(`the coordinator ended with ${code ?? signal}`)));
    });
    return new Target(child, url, folder);
  }

  private constructor(child: ChildProcess, url: string, folder: string) {
    this.#child = child;
    this.url = url;
    this.#folder = folder;
    for (const stream of [child.stdout, child.stderr])
      if (stream !== null) createInterface(stream).on('line', (line) => this.#heard(line));
    this.died = new Promise<never>((_, reject) => {
      child.once('exit', (code, signal) => {
        if (this.#ending) return;
        reject(new Error(`the coordinator ended with ${code ?? signal}: ${this.complaints.join('\n')}`));
      });
    });
    // Other waits observe the rejection in the end.
    this.died.catch(() => {});
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  #heard(line: string): void {
    let level: unknown = 60;
    try {
      level = (JSON.parse(line) as { level?: unknown }).level;
    } catch {}
    if (typeof level !== 'number' || level >= 50) this.complaints.push(line);
  }

  /** Memory of the process after garbage collection, in bytes. */
  async memory(): Promise<{ held: number; resident: number }> {
    const answer = new Promise<NodeJS.MemoryUsage>((resolve) => this.#child.once('message', resolve));
    this.#child.send('memory');
    const { heapUsed, external, rss } = await Promise.race([answer, this.died]);
    return { held: heapUsed + external, resident: rss };
  }

  /** @throws where the status is not the expected one. */
  async api<T>(method: 'GET' | 'POST', path: string, body?: Json): Promise<T> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return (response.headers.get('content-type')?.includes('json') === true ? JSON.parse(text) : text) as T;
  }

  async end(): Promise<void> {
    this.#ending = true;
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const gone = new Promise((resolve) => this.#child.once('exit', resolve));
      this.#child.kill('SIGTERM');
      await gone;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
