import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort } from '../http/free-port.testing.ts';

/**
 * moto's S3 server for a test, on loopback. It forgets its contents when it ends, unless it `remembers`: then it
 * records every request, and replays them. Concurrent large ones would corrupt the record.
 */
export interface MotoServer {
  readonly url: string;
  /** Makes an empty bucket. @returns its name. */
  bucket(): Promise<string>;
  /** Makes a user with these rights. From here on every signature is checked. @returns the user's key. */
  key(actions?: readonly string[]): Promise<MotoKey>;
  /** Ends the server as a loss of power does. */
  kill(): Promise<void>;
  /** Restarts it at the same address, with its contents if it `remembers`. */
  begin(): Promise<void>;
  stop(): Promise<void>;
}

export interface MotoKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Finds `moto_server` on the path; `null` where it is not installed. */
export function findMoto(): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, 'moto_server')).find((path) => existsSync(path)) ?? null;
}

export async function startMoto(
  program: string,
  { remembers = false }: { remembers?: boolean } = {},
): Promise<MotoServer> {
  const folder = mkdtempSync(join(tmpdir(), 'coppice-moto-'));
  const recording = join(folder, 'recording');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let server: ChildProcess | null = null;
  let locked = false;

  const ask = async (path: string, init: RequestInit) => {
    const response = await fetch(`${url}${path}`, init);
    const text = await response.text();
    if (!response.ok) throw new Error(`moto said ${response.status} to ${path}: ${text}`);
    return text;
  };
  /** Admits the next `requests` requests without authentication. */
  const open = (requests: number) => ask('/moto-api/reset-auth', { method: 'POST', body: String(requests) });
  const iam = (parameters: Record<string, string>) =>
    ask('/', {
      method: 'POST',
      headers: { authorization: 'AWS4-HMAC-SHA256 Credential=none/20300101/us-east-1/iam/aws4_request' },
      body: new URLSearchParams({ Version: '2010-05-08', ...parameters }),
    });
  const unasked = async <T>(work: () => Promise<T>): Promise<T> => {
    if (locked) await open(1_000);
    const result = await work();
    if (locked) await open(0);
    return result;
  };
  const end = async (signal: NodeJS.Signals) => {
    const child = server;
    server = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  };
  const begin = async () => {
    const child = spawn(program, ['-H', '127.0.0.1', '-p', String(port)], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        // A listing comes in pages.
        MOTO_S3_DEFAULT_MAX_KEYS: '2',
        ...(remembers ? { MOTO_ENABLE_RECORDING: 'true', MOTO_RECORDER_FILEPATH: recording } : {}),
      },
    });
    server = child;
    await ready(child);
    if (existsSync(recording)) await ask('/moto-api/recorder/replay-recording', { method: 'POST' });
  };

  await begin();
  let made = 0;
  return {
    url,
    async bucket() {
      const name = `coppice-test-${++made}`;
      await unasked(() => ask(`/${name}`, { method: 'PUT' }));
      return name;
    },
    async key(actions = ['s3:*']) {
      const user = { UserName: `user-${++made}` };
      const policy = {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }],
      };
      const key = await unasked(async () => {
        await iam({ Action: 'CreateUser', ...user });
        const document = { PolicyName: 's3', PolicyDocument: JSON.stringify(policy) };
        await iam({ Action: 'PutUserPolicy', ...user, ...document });
        return iam({ Action: 'CreateAccessKey', ...user });
      });
      const field = (name: string) => new RegExp(`<${name}>([^<]+)<`).exec(key)?.[1] ?? '';
      locked = true;
      await open(0);
      return { accessKeyId: field('AccessKeyId'), secretAccessKey: field('SecretAccessKey') };
    },
    kill: () => end('SIGKILL'),
    begin,
    async stop() {
      await end('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function ready(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    server.stderr?.on('data', (chunk: Buffer) => {
      // It says a line for each request, for as long as it lives.
      if (said.length < 10_000) said += chunk.toString();
      if (said.includes('Running on')) resolve();
    });
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`moto_server ended with ${code}: ${said}`)));
  });
}
