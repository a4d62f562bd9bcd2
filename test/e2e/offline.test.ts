import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
import { addPictures, dataCount } from './client-page.ts';
import { digitFiles } from './pictures.ts';
import { startWorld, type World } from './world.ts';

let world: World;
let browser: Browser;

beforeAll(async () => {
  world = await startWorld();
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await world?.close();
});

it('opens without the coordinator: the banner, the task and the stored examples', async () => {
  const run = await world.coordinator.runs.create('mnist-2nn', { rounds: 5, minParticipants: 2 }, true);
  const { page, context } = await person(browser);
  await page.goto(`${world.url}/?run=${run.id}`);
  await addPictures(page, 3, await digitFiles(3, 7));
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => {}));
  await page.reload();
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await page.locator('[data-testid="connection"][data-connection="online"]').waitFor();
  await world.stop();
  await page.reload();
  await page.getByTestId('offline').waitFor();
  await page.getByTestId('data-count').first().waitFor();
  await page.waitForFunction(() =>
    /7/.test(document.querySelector('[data-testid="data-count"]')?.textContent ?? ''),
  );
  expect(await dataCount(page)).toBe(7);
  // What the coordinator answers is never kept: it would be shown as if it were true now.
  const kept = await page.evaluate(async () => {
    const addresses: string[] = [];
    for (const name of await caches.keys())
      for (const request of await (await caches.open(name)).keys())
        addresses.push(new URL(request.url).pathname);
    return addresses;
  });
  expect(kept).toContain('/index.html');
  expect(kept.filter((path) => /^\/(api|models|socket\.io|admin)/.test(path))).toEqual([]);
  await world.startAgain();
  await page.locator('[data-testid="connection"][data-connection="online"]').waitFor();
  await context.close();
});
