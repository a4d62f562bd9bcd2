import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { createServer, type ViteDevServer } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, person, softwareWebgpu } from '../browser/launch.ts';
import type { CorrectedApart, TrainedApart } from './backends/page.ts';

/* The training room in a real browser: WebGPU, WebGL, WASM and the planned trainer against plain JavaScript, the slowest and plainest. */
let server: ViteDevServer;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  server = await createServer({
    root: fileURLToPath(new URL('./backends', import.meta.url)),
    configFile: false,
    logLevel: 'error',
    cacheDir: fileURLToPath(new URL('../node_modules/.vite-backends', import.meta.url)),
    server: {
      host: '127.0.0.1',
      port: 0,
      hmr: false,
      fs: { allow: [fileURLToPath(new URL('../..', import.meta.url))] },
    },
  });
  await server.listen();
  browser = await launchBrowser(softwareWebgpu);
  ({ page } = await person(browser));
  await page.goto(server.resolvedUrls?.local[0] as string);
  await page.waitForFunction(() => 'trainedApart' in globalThis);
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

type Case = readonly [task: string, examples: number, batchSize: number];

const apart = <Result>(what: 'trainedApart' | 'correctedApart', backend: string, of: Case): Promise<Result> =>
  page.evaluate(
    ([name, ...all]) =>
      (globalThis as unknown as Record<string, (...all: unknown[]) => Promise<Result>>)[name]?.(
        ...all,
      ) as Promise<Result>,
    [what, backend, ...of] as const,
  );

// A GPU's exp and log are coarser than a processor's; that is the whole difference allowed.
describe.each([
  ['webgpu', 1e-3],
  ['webgl', 1e-3],
  ['wasm', 1e-4],
  ['planned', 1e-4],
])('%s trains as plain JavaScript does', (backend, tolerance) => {
  // Odd batches, odd remainders and a batch of one: where a GPU's texels have room to spare.
  it.each([
    ['mnist-2nn', 20, 10],
    ['mnist-2nn', 15, 10],
    ['mnist-2nn', 17, 5],
    ['mnist-2nn', 7, 3],
    ['mnist-2nn', 3, 1],
    ['iris', 16, 8],
    ['iris', 13, 8],
    ['iris', 9, 3],
    ['regression', 13, 8],
    ['regression', 7, 3],
    ['mnist-cnn', 3, 3],
  ])('%s, %i examples in batches of %i', async (...of) => {
    const { loss, update } = await apart<TrainedApart>('trainedApart', backend, of);
    expect(loss).toBeLessThan(tolerance);
    expect(update).toBeLessThan(tolerance);
  });

  it.each([
    ['mnist-2nn', 7, 3],
    ['iris', 13, 8],
    ['regression', 7, 3],
  ])('with an objective, and gives the same gradient: %s, %i examples in batches of %i', async (...of) => {
    const { gradient, update } = await apart<CorrectedApart>('correctedApart', backend, of);
    expect(gradient).toBeLessThan(tolerance);
    expect(update).toBeLessThan(tolerance);
  });
});
