import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePort } from '../http/free-port.testing.ts';

/** A PostgreSQL server for a test, on loopback. */
export interface PostgresServer {
  /** Makes an empty database. @returns its URL. */
  create(): Promise<string>;
  stop(): Promise<void>;
}

/** The system's user `nobody`: the server refuses to run as root. */
const NOBODY = 65_534;
const PASSWORD = 'for-tests-only';

/** Finds the folder of Debian's server programs, the newest version first; `null` where none is installed. */
export function findPostgres(): string | null {
  const root = '/usr/lib/postgresql';
  if (!existsSync(root)) return null;
  const versions = readdirSync(root).sort((a, b) => Number(b) - Number(a));
  return versions.map((v) => join(root, v, 'bin')).find((bin) => existsSync(join(bin, 'initdb'))) ?? null;
}

export async function startPostgres(bin: string): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), 'coppice-postgres-'));
  const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const password = join(folder, 'password');
  writeFileSync(password, PASSWORD);
  for (const path of 'uid' in user ? [folder, password] : []) chownSync(path, NOBODY, NOBODY);
  const data = join(folder, 'data');
  // A language whose order of letters is not that of the bytes: queries must not depend on it.
  const set = ['-D', data, '-U', 'coppice', '-A', 'scram-sha-256', `--pwfile=${password}`, '-E', 'UTF8'];
  const order = ['--locale-provider=icu', '--icu-locale=en-US', '--locale=C', '--no-sync'];
  await promisify(execFile)(join(bin, 'initdb'), [...set, ...order], { ...user, cwd: folder });
  const port = await freePort();
  const server = spawn(
    join(bin, 'postgres'),
    ['-D', data, '-h', '127.0.0.1', '-p', String(port), '-k', folder, '-c', 'fsync=off'],
    { ...user, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const urlOf = (database: string) => `postgres://coppice:${PASSWORD}@127.0.0.1:${port}/${database}`;
  await ready(server);
  let made = 0;
  return {
    async create() {
      const client = new pg.Client(urlOf('postgres'));
      await client.connect();
      const name = `test_${++made}`;
      await client.query(`create database ${name}`);
      await client.end();
      return urlOf(name);
    },
    async stop() {
      const ended = new Promise((resolve) => server.once('exit', resolve));
      // SIGINT: it lets go of its clients at once.
      if (server.exitCode === null && server.kill('SIGINT')) await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function ready(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    server.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('ready to accept connections')) resolve();
    });
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`postgres ended with ${code}: ${said}`)));
  });
}
