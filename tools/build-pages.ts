import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './run.ts';

/** What is built: the folder, and a file that is there once it is. */
const built = [
  ['apps/client', 'index.html'],
  ['apps/admin', 'index.html'],
  ['packages/client', 'coppice.js'],
] as const;

/** Builds the pages and the client library that are older than their sources; all of them with `force`. */
export async function buildPages({ force = false }: { force?: boolean } = {}): Promise<void> {
  const sources = ['packages', 'apps', 'pnpm-lock.yaml'].map((name) => newest(join(root, name)));
  for (const [folder, name] of built) {
    const file = join(root, folder, 'dist', name);
    if (!force && existsSync(file) && statSync(file).mtimeMs > Math.max(...sources)) continue;
    // A test runner's NODE_ENV would build a page without its service worker.
    const code = await run('vite', ['build', folder, '--logLevel', 'warn'], {
      NODE_ENV: 'production',
    });
    if (code !== 0) throw new Error(`building ${folder} failed`);
  }
}

/** Time of the newest change below a path, in milliseconds since the epoch; built and installed files do not count. */
function newest(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  let time = 0;
  for (const name of readdirSync(path)) {
    if (name === 'node_modules' || name === 'dist' || name.endsWith('.test.ts')) continue;
    time = Math.max(time, newest(join(path, name)));
  }
  return time;
}

if (import.meta.main) await buildPages({ force: process.argv.includes('--force') });
