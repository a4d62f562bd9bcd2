import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { createServer, type ViteDevServer } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, person, softwareWebgpu } from '../browser/launch.ts';
import type { Corrected, Trained } from './backends/page.ts';

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
  await page.waitForFunction(() => 'trained' in globalThis);
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

const trained = (backend: string, task: string, examples: number, batchSize: number): Promise<Trained> =>
  page.evaluate(
    ([b, t, e, s]) =>
      (globalThis as unknown as { trained(...all: unknown[]): Promise<Trained> }).trained(b, t, e, s),
    [backend, task, examples, batchSize],
  );

const corrected = (backend: string, task: string, examples: number, batchSize: number): Promise<Corrected> =>
  page.evaluate(
    ([b, t, e, s]) =>
      (globalThis as unknown as { corrected(...all: unknown[]): Promise<Corrected> }).corrected(b, t, e, s),
    [backend, task, examples, batchSize],
  );

/** What plain JavaScript made of each case: the same for every backend, and slow. */
const oracles = new Map<string, Promise<unknown>>();
function oracle<Args extends readonly unknown[], T>(
  compute: (backend: string, ...of: Args) => Promise<T>,
  ...of: Args
): Promise<T> {
  const key = `${compute.name} ${of.join(' ')}`;
  const known = (oracles.get(key) as Promise<T> | undefined) ?? compute('cpu', ...of);
  oracles.set(key, known);
  return known;
}

/** The distance between two vectors, relative to the length of the second. */
function distance(actual: readonly number[], expected: readonly number[]): number {
  let difference = 0;
  let length = 0;
  for (const [i, value] of expected.entries()) {
    difference += (value - (actual[i] ?? Number.NaN)) ** 2;
    length += value ** 2;
  }
  return Math.sqrt(difference / length);
}

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
  ])('%s, %i examples in batches of %i', async (task, examples, batchSize) => {
    const expected = await oracle(trained, task, examples, batchSize);
    const actual = await trained(backend, task, examples, batchSize);
    expect(Math.abs(actual.loss - expected.loss)).toBeLessThan(tolerance);
    expect(distance(actual.update, expected.update)).toBeLessThan(tolerance);
  });

  it.each([
    ['mnist-2nn', 7, 3],
    ['iris', 13, 8],
    ['regression', 7, 3],
  ])('with an objective, and gives the same gradient: %s, %i examples in batches of %i', async (...of) => {
    const expected = await oracle(corrected, ...of);
    const actual = await corrected(backend, ...of);
    expect(distance(actual.gradient, expected.gradient)).toBeLessThan(tolerance);
    expect(distance(actual.update, expected.update)).toBeLessThan(tolerance);
  });
});
