import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
import { addPictures, consentAndStart, dataCount, waitForAccepted } from './client-page.ts';
import { NEWER, newerPage } from './newer-page.ts';
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

const online = (page: Page) => page.locator('[data-testid="connection"][data-connection="online"]').waitFor();
/** Waits until the page is one that the service worker gave. */
const kept = async (page: Page) => {
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => {}));
  await page.reload();
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await online(page);
};

it.each(['en-US', 'zh-CN'])('opens without the coordinator and says so, in %s', async (locale) => {
  const run = await world.coordinator.runs.create('mnist-2nn', { rounds: 5, minParticipants: 2 }, true);
  const { page, context } = await person(browser, { locale });
  await page.goto(`${world.url}/?run=${run.id}`);
  await addPictures(page, 3, await digitFiles(3, 7));
  await kept(page);
  await world.stop();
  await page.reload();
  await page.getByTestId('offline').waitFor();
  await page.waitForFunction(() =>
    /7/.test(document.querySelector('[data-testid="data-count"]')?.textContent ?? ''),
  );
  expect(await dataCount(page)).toBe(7);
  // What was last heard is told as such, and what needs the coordinator waits for it.
  const state = await page.locator('.arrival .eyebrow').textContent();
  expect(state).toMatch(locale === 'zh-CN' ? /^上次得知：进行中/ : /^last known: running/);
  for (const needs of ['add-sample', 'consent', 'start'])
    expect(await page.getByTestId(needs).isDisabled()).toBe(true);
  // What does not is there: adding, looking and deleting.
  await addPictures(page, 4, await digitFiles(4, 2));
  expect(await dataCount(page)).toBe(9);
  await world.startAgain();
  await online(page);
  expect(await page.locator('.arrival .eyebrow').textContent()).toMatch(/^(running|进行中)/);
  await page.waitForFunction(
    () => !document.querySelector<HTMLInputElement>('[data-testid="consent"]')?.disabled,
  );
  await context.close();
  await world.coordinator.runs.act(run.id, 'stop');
});

it('keeps nothing that the coordinator answers: it would be shown as if it were true now', async () => {
  const run = await world.coordinator.runs.create('mnist-2nn', { rounds: 5, minParticipants: 2 }, true);
  const { page, context } = await person(browser);
  await page.goto(`${world.url}/?run=${run.id}`);
  await kept(page);
  const admin = await context.newPage();
  await admin.goto(world.coordinator.admin);
  await admin.getByTestId('launch').first().waitFor();
  const answers = await page.evaluate(
    async (addresses) => Promise.all(addresses.map(async (address) => (await fetch(address)).status)),
    ['/api/tasks', `/models/mnist-2nn/runs/${run.id}/0/model.json`, '/socket.io/?EIO=4&transport=polling'],
  );
  expect(answers.slice(0, 2)).toEqual([200, 200]);
  const addresses = await page.evaluate(async () => {
    const found: string[] = [];
    for (const name of await caches.keys())
      for (const request of await (await caches.open(name)).keys()) found.push(new URL(request.url).pathname);
    return found;
  });
  expect(addresses).toContain('/index.html');
  expect(addresses.filter((path) => /^\/(api|models|socket\.io|admin)/.test(path))).toEqual([]);
  await context.close();
  await world.coordinator.runs.act(run.id, 'stop');
});

it('offers a newer page, and takes it when told to, between two pieces of work', async () => {
  const run = await world.coordinator.runs.create(
    'mnist-2nn',
    // Rounds long enough to be in the middle of one.
    { rounds: 500, minParticipants: 1, overSelection: 1, epochs: 300, batchSize: 1 },
    true,
  );
  const way = await newerPage(world.url);
  const { page, context } = await person(browser);
  await page.goto(`${way.url}/?run=${run.id}`);
  await addPictures(page, 1, await digitFiles(1, 30));
  await addPictures(page, 4, await digitFiles(4, 30));
  await kept(page);
  expect(await page.content()).not.toContain(NEWER.slice(0, -3));
  expect(await page.getByTestId('update').count()).toBe(0);
  await consentAndStart(page);
  const training = () => page.locator('[data-testid="status"][data-activity="training"]').waitFor();
  await training();

  // The coordinator comes back with a newer page: the open one hears of it, and goes on.
  way.release();
  await world.stop();
  await page.getByTestId('offline').waitFor();
  await world.startAgain();
  await page.getByTestId('update-now').waitFor();
  await waitForAccepted(page, 1);
  expect(await page.locator('meta[name="build"]').count()).toBe(0);

  await training();
  await page.evaluate(() => {
    const status = document.querySelector<HTMLElement>('[data-testid="status"]') as HTMLElement;
    const seen: (string | undefined)[] = [];
    new MutationObserver(() => {
      seen.push(status.dataset.activity);
      sessionStorage.setItem('activities', seen.join());
    }).observe(status, { attributes: true, attributeFilter: ['data-activity'] });
  });
  await page.getByTestId('update-now').click();
  await page.locator('meta[name="build"][content="newer"]').waitFor({ state: 'attached' });
  // The piece of work under way was finished and sent first.
  expect(await page.evaluate(() => sessionStorage.getItem('activities'))).toMatch(/delivered|waiting/);
  // And takes part again, without another click.
  await waitForAccepted(page, 1);
  expect(await page.getByTestId('update').count()).toBe(0);
  await context.close();
  await way.close();
  await world.coordinator.runs.act(run.id, 'stop');
});
