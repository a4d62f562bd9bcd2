import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/* Programs of this project as processes of their own, in surroundings that are not as they should be. */

export const root = fileURLToPath(new URL('../..', import.meta.url));
const entry = (path: string) => join(root, path);
export const START = entry('packages/coordinator/src/main.ts');
export const SIMULATE = entry('apps/simulate/src/main.ts');
export const DEMO = entry('apps/simulate/src/demo.ts');

export const ADMIN_KEY = 'the-key-of-this-test';

/** The environment of a person's shell, with no package manager above it. */
export function cleanEnvironment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(npm_|pnpm_|PNPM_|VITEST)|^_$/.test(name));
  return {
    ...Object.fromEntries(kept),
    PATH: `${join(root, 'node_modules/.bin')}:${process.env['PATH']}`,
    COPPICE_ADMIN_KEY: ADMIN_KEY,
    ...more,
  };
}

/** A currently free port, for programs that do not report their own. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** Finds a program on the path; null where there is none. */
export function findProgram(name: string): string | null {
  try {
    return execFileSync('sh', ['-c', `command -v ${name}`], {
      encoding: 'utf8',
      env: cleanEnvironment(),
    }).trim();
  } catch {
    return null;
  }
}

/** Collects the leftovers of one file's tests, which `end` removes. */
export class Leftovers {
  readonly #folders: string[] = [];
  readonly #children: ChildProcess[] = [];
  readonly #others: number[] = [];

  folder(): string {
    const folder = mkdtempSync(join(tmpdir(), 'coppice-program-'));
    this.#folders.push(folder);
    return folder;
  }

  /** Spawns a process in a process group of its own, which `end` kills whole. */
  spawn(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const child = spawn(command, args, { env: cleanEnvironment(), cwd: root, ...options, detached: true });
    this.#children.push(child);
    return child;
  }

  /** Registers another process for `end` to kill: a descendant in a group of its own. */
  alsoKill(pid: number): void {
    this.#others.push(pid);
  }

  end(): void {
    const groups = this.#children.flatMap(({ pid }) => (pid === undefined ? [] : [-pid]));
    for (const pid of [...groups, ...this.#others]) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Ended already.
      }
    }
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true });
  }
}

export function ended(child: ChildProcess): Promise<number | NodeJS.Signals | null> {
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)));
}

/** Repeats a request until there is an answer. @returns the status and the body. */
export async function answer(url: string): Promise<{ status: number; body: string }> {
  for (;;) {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${ADMIN_KEY}`, connection: 'close' },
    }).catch(() => null);
    if (response !== null && (!url.endsWith('/readyz') || response.status === 200))
      return { status: response.status, body: await response.text() };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
