import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { findChromium } from './find-chromium.ts';

/** Flags for WebGPU on the processor, since Chromium otherwise accepts only real graphics processors. */
export const softwareWebgpu = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'] as const;

/**
 * Launches Chromium with software WebGL, and without its background requests, which a closed network would refuse. Pages
 * are drawn without the software GPU, which would take as long for that as all else in a test takes.
 *
 * @param flags further flags.
 */
export function launchBrowser(flags: readonly string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.COPPICE_CHROMIUM ?? findChromium(),
    args: [
      '--enable-unsafe-swiftshader',
      '--use-gl=angle',
      '--use-angle=swiftshader',
      '--disable-gpu-compositing',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
      '--disable-quic',
      '--disable-dev-shm-usage',
      ...flags,
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    ],
  });
}

/** A person's browser: a context with storage of its own, and the errors of its page. */
export interface Person {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Uncaught errors, console errors and refused content; a test ends by checking that there are none. */
  readonly problems: string[];
}

export async function person(
  browser: Browser,
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<Person> {
  const context = await browser.newContext({ locale: 'en-US', ...options });
  // Waits are for conditions that do come; how soon depends on what else the machine is doing.
  context.setDefaultTimeout(120_000);
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  return { context, page, problems };
}
