import { fileURLToPath } from 'node:url';
import type { BackendName } from '@coppice/training';
import { createServer } from 'vite';
import { launchBrowser, person } from '../browser/launch.ts';

/** A page that takes training steps in Chromium. */
export interface StepPage {
  /** Milliseconds of wall time for a step of ten examples; null where the backend is unavailable. */
  time(backend: BackendName, task: string, steps: number): Promise<number | null>;
  close(): Promise<void>;
}

/** Opens the page of `test/e2e/backends`; null where there is no browser. */
export async function stepPage(): Promise<StepPage | null> {
  const browser = await launchBrowser().catch(() => null);
  if (browser === null) return null;
  const server = await createServer({
    root: fileURLToPath(new URL('../e2e/backends', import.meta.url)),
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
  const { page } = await person(browser);
  await page.goto(server.resolvedUrls?.local[0] as string);
  await page.waitForFunction(() => 'stepTime' in globalThis);
  type Timed = { stepTime(...all: unknown[]): Promise<number | null> };
  return {
    time: (backend, task, steps) =>
      page.evaluate(
        ([b, t, s]) => (globalThis as unknown as Timed).stepTime(b, t, s),
        [backend, task, steps],
      ),
    async close() {
      await browser.close();
      await server.close();
    },
  };
}
