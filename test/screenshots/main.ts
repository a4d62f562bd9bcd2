import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultWatch, type Policy } from '@coppice/continuity';
import type { Page } from 'playwright-core';
import { launchBrowser, person } from '../browser/launch.ts';
import { addPictures, consentAndStart, draw, waitForAccepted } from '../e2e/client-page.ts';
import { digitFiles, strokes } from '../e2e/pictures.ts';
import { ADMIN_KEY, headless, startWorld } from '../e2e/world.ts';
import { toldDemo } from './demo.ts';

/*
 * `pnpm screenshots`: both pages as people meet them, in the middle of a run: desktop and phone, light
 * and dark, English and Chinese, into docs/images; then the admin page's monitoring of a demo.
 */
const folder = join(fileURLToPath(new URL('../..', import.meta.url)), 'docs', 'images');
mkdirSync(folder, { recursive: true });

const world = await startWorld();
const browser = await launchBrowser();
const run = await world.coordinator.runs.create(
  'mnist-2nn',
  { rounds: 5000, minParticipants: 3, overSelection: 1, quorum: 0.3, learningRate: 0.1 },
  true,
);
const sessions = await headless(world.url, run.id, { count: 3, examples: 600 });
await earlyRelease(10);

const looks = [
  { name: 'light', colorScheme: 'light', locale: 'en-US', viewport: { width: 1280, height: 900 } },
  { name: 'dark', colorScheme: 'dark', locale: 'en-US', viewport: { width: 1280, height: 900 } },
  { name: 'phone-light', colorScheme: 'light', locale: 'en-US', viewport: { width: 390, height: 844 } },
  { name: 'phone-dark-zh', colorScheme: 'dark', locale: 'zh-CN', viewport: { width: 390, height: 844 } },
] as const;

for (const { name, ...options } of looks) {
  const { page, context } = await person(browser, options);
  await page.goto(`${world.url}/?run=${run.id}`);
  for (const digit of [0, 1, 4, 7]) await addPictures(page, digit, await digitFiles(digit, 8 + digit));
  await consentAndStart(page);
  await waitForAccepted(page, 3);
  await draw(page, 'predict-canvas', strokes[7] as (readonly [number, number])[]);
  await page.getByTestId('monitoring-consent').waitFor();
  await page.waitForFunction(() =>
    document.querySelector('[data-testid="prediction-after"]')?.textContent?.includes('7'),
  );
  await page.evaluate(() => scrollTo(0, 0));
  await page.screenshot({ path: join(folder, `client-${name}.png`), fullPage: true });
  const admin = await context.newPage();
  await admin.goto(`${world.coordinator.admin}#run=${run.id}`);
  await admin.getByTestId('checkpoints-table').first().waitFor();
  await admin.getByTestId('accuracy-chart').first().waitFor();
  await admin.screenshot({ path: join(folder, `admin-${name}.png`), fullPage: true });
  await context.close();
}

for (const session of sessions) session.close();
await world.close();

// The monitoring of a demo whose digits were turned, at the period in which it was noticed; its retraining below it.
const demo = await toldDemo(4);
for (const { name, ...options } of looks.filter(({ name }) => name !== 'phone-dark-zh')) {
  const { page, context } = await person(browser, options);
  await page.goto(demo.monitoring);
  await page.getByTestId('firing-1').waitFor();
  await page.getByTestId('firing-1').getByTestId('canary').waitFor();
  await page.getByTestId('distribution').first().waitFor();
  // The drift down to its first distribution, and the retraining whole.
  await pictureOf(page, 'drift', { path: `monitoring-${name}.png`, most: 1000 });
  await pictureOf(page, 'firings', { path: `retraining-${name}.png`, most: Number.POSITIVE_INFINITY });
  await context.close();
}
await demo.close();
await browser.close();

/** Takes a part of a page with some of its surroundings. @param most its greatest height in pixels. */
async function pictureOf(
  page: Page,
  testId: string,
  { path, most }: { path: string; most: number },
): Promise<void> {
  const box = await page.getByTestId(testId).boundingBox();
  if (box === null) throw new Error(`${testId} is not on the page.`);
  const edge = 16;
  await page.screenshot({
    path: join(folder, path),
    fullPage: true,
    clip: {
      x: box.x - edge,
      y: box.y - edge,
      width: box.width + 2 * edge,
      height: Math.min(most, box.height + 2 * edge),
    },
  });
}

/** Releases a round of the run once it is made, and watches the task, so that the client page has its monitoring. */
async function earlyRelease(round: number): Promise<void> {
  while (world.coordinator.runs.get(run.id).round < round)
    await new Promise((resolve) => setTimeout(resolve, 200));
  await world.coordinator.releases.move('mnist-2nn', 'production', {
    checkpoint: `${run.id}/${round}`,
    expected: null,
    reason: 'The first one.',
    by: { by: 'admin', name: 'Ada' },
  });
  const saved = await fetch(`${world.url}/api/tasks/mnist-2nn/policy`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      expected: null,
      policy: {
        version: 1,
        periodMilliseconds: 24 * 3600 * 1000,
        watch: defaultWatch,
        privacy: null,
        trigger: null,
        plan: {},
        gate: null,
        canary: null,
      } satisfies Policy,
    }),
  });
  if (!saved.ok) throw new Error(await saved.text());
}
