import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A Python process with NumPy that measures on request, so that it can take turns with others. */
export interface NumPy {
  readonly version: string;
  /** Runs the script's work once. @returns milliseconds. */
  measure(): Promise<number>;
  close(): Promise<void>;
}

/**
 * @param script defines `work()`, with NumPy as `np`.
 * @param by `cpu`: in CPU time.
 * @returns null where there is no Python with NumPy. `COPPICE_PYTHON` names another than `python3`.
 */
export async function numPy(script: string, by: 'wall' | 'cpu' = 'wall'): Promise<NumPy | null> {
  const clock = by === 'cpu' ? 'time.process_time' : 'time.perf_counter';
  const program = `
import sys, time
import numpy as np
${script}
print(np.__version__, flush=True)
for _ in sys.stdin:
    began = ${clock}()
    work()
    print((${clock}() - began) * 1000, flush=True)
`;
  const child = spawn(process.env['COPPICE_PYTHON'] ?? 'python3', ['-c', program], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1' },
  });
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('close', () => resolve());
  });
  const lines = createInterface(child.stdout);
  const next = async () => ((await Promise.race([once(lines, 'line'), ended])) ?? [null])[0] as string | null;
  const version = await next();
  if (version === null) return null;
  return {
    version,
    async measure() {
      child.stdin.write('\n');
      return Number(await next());
    },
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}
