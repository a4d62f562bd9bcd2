import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Runs a program of this workspace (`vite`, `tsc`, …) or of the system, with its output passed through. */
export function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, PATH: searchPath(), ...env },
    });
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
  });
}

/** Search path with workspace programs first, so that Node is the one in devDependencies however this was started. */
export function searchPath(): string {
  return `${join(root, 'node_modules', '.bin')}:${join(root, 'apps', 'client', 'node_modules', '.bin')}:${process.env.PATH ?? ''}`;
}
