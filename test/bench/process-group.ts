import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';

/** The resources of a finished command. */
export interface Finished {
  readonly output: string;
  readonly seconds: number;
  /**
   * Peak memory of the command and its descendants together, pages shared between them counted once; `null` where it
   * was not watched, and outside of Linux.
   */
  readonly peakMegabytes: number | null;
}

const LOOK_EVERY = 100;

/**
 * Runs a command to its end.
 *
 * @param how.watched true to sample its memory continuously, which slows it down: its seconds are then not comparable.
 * @throws where its exit code is not 0.
 */
export async function runWhole(
  command: string,
  args: readonly string[],
  { env = {}, watched = false }: { env?: Readonly<Record<string, string>>; watched?: boolean } = {},
): Promise<Finished> {
  const began = performance.now();
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let output = '';
  let complaints = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-4000);
  });
  let peak: number | null = null;
  const look = setInterval(() => {
    const now = !watched || child.pid === undefined ? null : megabytesOf(child.pid);
    if (now !== null) peak = Math.max(peak ?? 0, now);
  }, LOOK_EVERY);
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    if (code !== 0) throw new Error(`${command} ended with ${code ?? signal}:\n${complaints}`);
  } finally {
    clearInterval(look);
  }
  return { output, seconds: (performance.now() - began) / 1000, peakMegabytes: peak };
}

/** Current memory of a process and its descendants. */
function megabytesOf(root: number): number | null {
  const children = new Map<number, number[]>();
  let pids: number[];
  try {
    pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return null;
  }
  for (const pid of pids) {
    const parent = Number(
      read(`/proc/${pid}/stat`)
        ?.replace(/^.*\) /s, '')
        .split(' ')[1],
    );
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [pid]);
    else siblings.push(pid);
  }
  let kilobytes = 0;
  const family = [root];
  for (const pid of family) {
    family.push(...(children.get(pid) ?? []));
    kilobytes += Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`) ?? '')?.[1] ?? 0);
  }
  return kilobytes === 0 ? null : kilobytes / 1024;
}

/** Reads a file of a process that may be gone. */
function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
