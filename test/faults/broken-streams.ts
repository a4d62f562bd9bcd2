import { type ChildProcess, execFileSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'vitest';
import { answer, cleanEnvironment, ended, findProgram, freePort, type Leftovers, root } from './program.ts';

/** A program whose streams can be broken. */
interface Started {
  readonly child: ChildProcess;
  /** Makes the streams unusable, where they are not from the start. */
  readonly breakStreams: () => void;
  readonly code: string;
}

/** Ways to make standard output and standard error unusable, with the system's code for each. */
const broken: Record<string, (leftovers: Leftovers, program: string, args: readonly string[]) => Started> = {
  'on a full disk'(leftovers, program, args) {
    const full = openSync('/dev/full', 'w');
    const child = leftovers.spawn(process.execPath, [program, ...args], { stdio: ['ignore', full, full] });
    closeSync(full);
    return { child, breakStreams: () => {}, code: 'ENOSPC' };
  },
  'pipes that are closed'(leftovers, program, args) {
    const path = join(leftovers.folder(), 'pipe');
    execFileSync('mkfifo', [path]);
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = openSync(path, 'w');
    const child = leftovers.spawn(process.execPath, [program, ...args], {
      stdio: ['ignore', writer, writer],
    });
    closeSync(writer);
    return { child, breakStreams: () => closeSync(reader), code: 'EPIPE' };
  },
  'sockets that are closed'(leftovers, program, args) {
    const child = leftovers.spawn(process.execPath, [program, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return {
      child,
      breakStreams() {
        child.stdout?.destroy();
        child.stderr?.destroy();
      },
      code: 'EPIPE',
    };
  },
};
export const waysToBreak = Object.keys(broken);

/** Arguments of a server that logs a line for every request, more than the streams can have delivered. */
export const serving = (leftovers: Leftovers, port: number) => [
  ...['--port', String(port), '--data-dir', leftovers.folder(), '--log-level', 'debug'],
];

async function metric(at: string, name: string): Promise<number> {
  const { body } = await answer(`${at}/metrics`);
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(body)?.[1]);
}

/** A test that the program serves, counts lost lines, and ends gracefully. */
export async function servesOnBrokenStreams(
  leftovers: Leftovers,
  program: string,
  way: string,
): Promise<void> {
  const port = await freePort();
  const at = `http://127.0.0.1:${port}`;
  const started = (broken[way] as (typeof broken)[string])(leftovers, program, serving(leftovers, port));
  const code = ended(started.child);
  await answer(`${at}/readyz`);
  started.breakStreams();
  // A request is answered before its line is written: the line of the first is written by the second.
  await answer(`${at}/healthz`);
  await answer(`${at}/healthz`);
  const ready = await answer(`${at}/readyz`);
  expect(ready.status).toBe(200);
  expect(JSON.parse(ready.body)).toEqual({
    ready: true,
    troubles: [{ part: 'log', code: started.code, lost: expect.any(Number) }],
  });
  expect(await metric(at, 'coppice_log_lines_lost_total')).toBeGreaterThan(1);
  started.child.kill('SIGTERM');
  expect(await code).toBe(0);
}

export const PYTHON = findProgram('python3');

/** Runs a program on its own terminal. @returns its process id, and the output of `terminal.py`, line by line. */
export async function onTerminal(
  leftovers: Leftovers,
  kind: 'leader' | 'plain',
  program: string,
  args: readonly string[],
) {
  const terminal = leftovers.spawn(
    PYTHON as string,
    [join(root, 'test/faults/terminal.py'), kind, process.execPath, program, ...args],
    { stdio: ['pipe', 'pipe', 'inherit'], env: cleanEnvironment({ TMPDIR: leftovers.folder() }) },
  );
  const lines = createInterface({ input: terminal.stdout as NonNullable<typeof terminal.stdout> })[
    Symbol.asyncIterator
  ]();
  const next = async () => (await lines.next()).value as string;
  const pid = Number(/^running (\d+)$/.exec(await next())?.[1]);
  leftovers.alsoKill(pid);
  return {
    pid,
    next,
    close: () => terminal.stdin?.write('\n'),
  };
}
