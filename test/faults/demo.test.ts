import { createInterface } from 'node:readline';
import type { Firing, PolicyInfo, Releases, Run } from '@coppice/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPages } from '../../tools/build-pages.ts';
import { onTerminal, PYTHON, servesOnBrokenStreams, serving, waysToBreak } from './broken-streams.ts';
import { answer, cleanEnvironment, DEMO, ended, freePort, Leftovers } from './program.ts';
import { endsWithItsWrapper } from './wrappers.ts';

/* One file, one test after the other: a demo builds the pages where they are older than their sources. */
const TASK = 'mnist-2nn';
const leftovers = new Leftovers();
// Else the first demo does it, which takes longer than a test may on a busy machine.
beforeAll(() => buildPages(), 300_000);
afterAll(() => leftovers.end());

describe('pnpm demo, with standard output and standard error', () => {
  it.each(waysToBreak)('%s: serves, counts the lines that are lost, and ends in good order', (way) =>
    servesOnBrokenStreams(leftovers, DEMO, way),
  );
});

it('pnpm demo ends with its wrapper, and lets go of port and data folder', () =>
  endsWithItsWrapper(leftovers, DEMO));

it.skipIf(PYTHON === null)('pnpm demo ends in good order when its terminal is closed', async () => {
  const port = await freePort();
  const at = `http://127.0.0.1:${port}`;
  const terminal = await onTerminal(leftovers, 'leader', DEMO, serving(leftovers, port));
  await answer(`${at}/readyz`);
  await roundMade(at);
  terminal.close();
  expect(await terminal.next()).toBe('closed');
  expect(await terminal.next()).toBe('ended 0');
});

it('pnpm demo notices turned digits and releases a model for them, and goes on from its data folder', async () => {
  const folder = leftovers.folder();
  const start = async () => {
    const port = await freePort();
    const child = leftovers.spawn(process.execPath, [DEMO, '--port', String(port), '--data-dir', folder], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: cleanEnvironment({ COPPICE_DEMO_SHORT: '1' }),
    });
    const lines = createInterface({ input: child.stdout as NonNullable<typeof child.stdout> });
    const get = async <T>(path: string) =>
      JSON.parse((await answer(`http://127.0.0.1:${port}/api/${path}`)).body) as T;
    return { child, code: ended(child), lines: lines[Symbol.asyncIterator](), get };
  };
  type Lines = AsyncIterator<string>;
  const line = async (lines: Lines, like: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const { done, value } = await lines.next();
      if (done) throw new Error(`The demo ended before it said ${like}.`);
      const found = like.exec(value);
      if (found !== null) return found;
    }
  };
  const state = async (get: <T>(path: string) => Promise<T>) => {
    const { channels } = await get<Releases>(`tasks/${TASK}/releases`);
    return {
      runs: (await get<Run[]>('runs')).length,
      policy: (await get<PolicyInfo>(`tasks/${TASK}/policy`)).version,
      production: channels.production?.checkpoint,
    };
  };

  const first = await start();
  await line(first.lines, /lie on their side/);
  await line(first.lines, /^Drift: the distribution/);
  const [, before, now] = await line(first.lines, /turned digits: ([\d.]+) % before, ([\d.]+) % now/);
  expect(Number(now)).toBeGreaterThan(2 * Number(before));
  const firing = (await first.get<Firing[]>(`tasks/${TASK}/firings`)).at(-1);
  expect(firing).toMatchObject({
    outcome: 'released',
    comparison: { decision: 'accept' },
    canary: { decision: 'promote' },
  });
  expect(firing?.causes).toEqual([expect.objectContaining({ cause: 'drift' })]);
  const reached = await state(first.get);
  expect(reached).toEqual({ runs: 2, policy: 1, production: firing?.candidate });
  first.child.kill('SIGTERM');
  expect(await first.code).toBe(0);

  const second = await start();
  await line(second.lines, new RegExp(`^${reached.production} is in production`));
  // It has looked at what there is once its devices report again.
  await line(second.lines, /^The devices report/);
  expect(await state(second.get)).toEqual(reached);
  second.child.kill('SIGTERM');
  expect(await second.code).toBe(0);
}, 240_000);

async function roundMade(at: string): Promise<void> {
  for (;;) {
    const { body } = await answer(`${at}/api/runs`);
    if ((JSON.parse(body) as { round: number }[]).some(({ round }) => round > 0)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
