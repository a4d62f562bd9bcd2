import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '@coppice/coordinator/free-port';
import type { Firing, PeriodSummary, WatchInfo } from '@coppice/protocol';

const DEMO = fileURLToPath(new URL('../../apps/simulate/src/demo.ts', import.meta.url));
const KEY = 'the-key-of-the-screenshots';
const TASK = 'mnist-2nn';

/** A demo that has released a model for turned digits. */
export interface ToldDemo {
  /** The admin page's monitoring of the task, signed in, at the period whose alarm led to the release. */
  readonly monitoring: string;
  close(): Promise<void>;
}

/** Runs the demo until some periods after its second release. @param quiet periods on that release. */
export async function toldDemo(quiet: number): Promise<ToldDemo> {
  const folder = mkdtempSync(join(tmpdir(), 'coppice-screenshots-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(process.execPath, [DEMO, '--port', String(port), '--data-dir', folder], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, COPPICE_ADMIN_KEY: KEY },
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const get = async <T>(path: string): Promise<T> => {
    const response = await fetch(`${url}/api/tasks/${TASK}/${path}`, {
      headers: { authorization: `Bearer ${KEY}` },
    });
    return (await response.json()) as T;
  };
  const alarm = async () => {
    const [firing] = await get<Firing[]>('firings');
    if (firing?.outcome !== 'released') return null;
    const { release } = await get<WatchInfo>('watch');
    const periods = await get<PeriodSummary[]>('drift?summary=1');
    const after = periods.filter(({ release: of, verdict }) => of === release?.sequence && verdict !== null);
    return after.length < quiet ? null : firing.period;
  };
  let period: number | null = null;
  while (period === null) {
    period = await alarm().catch(() => null);
    if (child.exitCode !== null) throw new Error('The demo ended before its story did.');
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  return {
    monitoring: `${url}/admin?key=${KEY}#monitoring=${TASK}&period=${period}`,
    async close() {
      child.kill('SIGTERM');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
