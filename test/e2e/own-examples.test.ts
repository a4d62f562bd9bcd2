import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
import { addPictures, dataCount } from './client-page.ts';
import { digitFiles } from './pictures.ts';
import { startWorld, type World } from './world.ts';

/* The list of a device's own examples, and what the page says of its storage. */
/** A page that is slow to open is not a fault that is looked for here. */
const SOON = { timeout: 30_000 };

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

/** A page at a run that waits for more participants. */
async function arrived(task: string, locale = 'en-US'): Promise<Page> {
  const run = await world.coordinator.runs.create(task, { minParticipants: 2 }, true);
  const { page } = await person(browser, { locale });
  await page.goto(`${world.url}/?run=${run.id}`);
  return page;
}

const openList = (page: Page) => page.locator('[data-testid="own-examples"] > summary').click();
const counted = (page: Page, count: number) => expect.poll(() => dataCount(page), SOON).toBe(count);
const pictures = async (page: Page) =>
  page
    .getByTestId('example-list')
    .getByRole('img')
    .evaluateAll((all) => all.map((one) => one.ariaLabel));
const focused = (page: Page) => page.evaluate(() => document.activeElement?.getAttribute('aria-label'));

describe('the list of own examples', () => {
  it('shows pictures, and deletes single ones by keyboard, for good', async () => {
    const page = await arrived('mnist-2nn');
    await addPictures(page, 7, await digitFiles(7, 3));
    await addPictures(page, 3, await digitFiles(3, 1));
    await openList(page);
    await expect
      .poll(() => pictures(page), SOON)
      .toEqual(['Picture of “3”', 'Picture of “7”', 'Picture of “7”', 'Picture of “7”']);
    // Something is drawn in each.
    const inked = await page
      .getByTestId('example-list')
      .locator('canvas')
      .evaluateAll((all) =>
        all.map((one) => {
          const canvas = one as HTMLCanvasElement;
          const pixels = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data;
          return pixels?.some((value, i) => i % 4 === 3 && value > 128) ?? false;
        }),
      );
    expect(inked).toEqual([true, true, true, true]);

    await page.getByRole('button', { name: 'Delete example 2 of 4: Picture of “7”' }).focus();
    await page.keyboard.press('Enter');
    await page.getByTestId('confirm').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog[open]').waitFor({ state: 'detached' });
    await counted(page, 4);
    await page.getByRole('button', { name: 'Delete example 2 of 4: Picture of “7”' }).focus();
    await page.keyboard.press('Enter');
    await page.getByTestId('confirm').waitFor();
    await page.getByTestId('confirm').focus();
    await page.keyboard.press('Enter');
    await counted(page, 3);
    // The keyboard stays in the list.
    await expect.poll(() => focused(page), SOON).toBe('Delete example 2 of 3: Picture of “7”');

    await page.getByTestId('example-class').selectOption('3');
    await expect.poll(() => pictures(page), SOON).toEqual(['Picture of “3”']);
    await page.getByTestId('delete-example').click();
    await page.getByTestId('confirm').click();
    await counted(page, 2);
    await expect.poll(() => page.getByTestId('example-range').textContent(), SOON).toContain('No examples');

    await page.reload();
    await counted(page, 2);
    await openList(page);
    await expect.poll(() => pictures(page), SOON).toEqual(['Picture of “7”', 'Picture of “7”']);
    await page.context().close();
  });

  it('shows rows, a page at a time, in Chinese too', async () => {
    const page = await arrived('iris', 'zh-CN');
    const row = (i: number) => `${i / 10},3,4,1,setosa`;
    const rows = Array.from({ length: 30 }, (_, i) => row(40 + i));
    const text = ['sepal length,sepal width,petal length,petal width,species', ...rows].join('\n');
    await page
      .getByTestId('csv-input')
      .setInputFiles({ name: 'iris.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
    await page.getByTestId('csv-add').click();
    await counted(page, 30);
    await openList(page);
    const items = page.getByTestId('example-list').getByRole('listitem');
    await expect.poll(() => items.count(), SOON).toBe(24);
    expect(await items.first().textContent()).toContain('species：setosa，sepal length 6.9');
    await page.getByTestId('older').click();
    await expect.poll(() => items.count(), SOON).toBe(6);
    await items.last().getByRole('button').click();
    await page.getByTestId('confirm').click();
    await counted(page, 29);
    await expect.poll(() => items.count(), SOON).toBe(5);
    expect(await items.last().textContent()).toContain('sepal length 4.1');
    await page.context().close();
  });

  it('has the examples of a browser of the version before', async () => {
    const run = await world.coordinator.runs.create('iris', { minParticipants: 2 }, true);
    const { page } = await person(browser, { locale: 'en-US' });
    // Of the page's origin, without the page.
    await page.goto(`${world.url}/api/info`);
    await page.evaluate(
      () =>
        new Promise<void>((resolve, reject) => {
          const opening = indexedDB.open('coppice', 1);
          opening.onerror = () => reject(opening.error);
          opening.onupgradeneeded = () => {
            opening.result.createObjectStore('block', { autoIncrement: true }).createIndex('task', 'task');
            opening.result.createObjectStore('keyval');
          };
          opening.onsuccess = () => {
            const change = opening.result.transaction('block', 'readwrite');
            change.objectStore('block').add({
              task: 'iris',
              source: 'csv',
              count: 2,
              features: Float32Array.of(5.1, 3.5, 1.4, 0.2, 6, 3, 4, 1),
              labels: Float32Array.of(0, 2),
            });
            change.oncomplete = () => {
              opening.result.close();
              resolve();
            };
          };
        }),
    );
    await page.goto(`${world.url}/?run=${run.id}`);
    await counted(page, 2);
    await openList(page);
    const items = page.getByTestId('example-list').getByRole('listitem');
    await expect.poll(() => items.count(), SOON).toBe(2);
    expect(await items.last().textContent()).toContain('species: setosa, sepal length 5.1');
    await items.last().getByRole('button').click();
    await page.getByTestId('confirm').click();
    await counted(page, 1);
    await page.context().close();
  });
});

it('the page says how much it stores of how much, and whether the browser may delete it', async () => {
  const page = await arrived('mnist-2nn');
  const storage = page.getByTestId('storage');
  await expect
    .poll(() => storage.textContent(), SOON)
    .toMatch(/This site uses .+ of the .+ that this browser/);
  const kept = page.getByTestId('storage-kept');
  expect(await kept.getAttribute('data-kept')).toBe('false');
  expect(await kept.textContent()).toContain('may delete your examples when space runs low');
  // A new browser that nobody used before refuses, and the page says what helps.
  await page.getByTestId('keep').click();
  await expect.poll(() => kept.textContent(), SOON).toContain('did not agree');
  await page.context().close();
});
