import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { prepareImage } from '@coppice/datasets';
import { readPictureFile } from '@coppice/datasets/node';
import type { ImageData as ImageSchema } from '@coppice/protocol';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
import { consentAndStart, dataCount, keptExamples } from './client-page.ts';
import { ADMIN_KEY, startWorld, type World } from './world.ts';

/* Pictures on the client page: the bytes that they become, the files that cannot be read, and questions about any picture. */
let world: World;
let browser: Browser;
const SOON = { timeout: 30_000 };
const fixtures = join(import.meta.dirname, '../../packages/datasets/src/node/fixtures');

const dataOf = (width: number, height: number): ImageSchema => ({
  kind: 'image',
  width,
  height,
  channels: 3,
  classes: ['cat', 'dog'],
});

async function createTask(id: string, data: ImageSchema): Promise<void> {
  const layer = (class_name: string, config: object) => ({ class_name, config });
  const response = await fetch(`${world.url}/api/tasks`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      id,
      title: { en: 'Pets' },
      description: { en: 'Cats and dogs.' },
      data,
      model: layer('Sequential', {
        name: 'pets',
        layers: [
          layer('AveragePooling2D', {
            name: 'pool',
            pool_size: [8, 8],
            batch_input_shape: [null, data.height, data.width, 3],
          }),
          layer('Flatten', { name: 'flat' }),
          layer('Dense', { name: 'out', units: 2, activation: 'softmax' }),
        ],
      }),
    }),
  });
  if (response.status !== 201) throw new Error(await response.text());
}

beforeAll(async () => {
  world = await startWorld();
  browser = await launchBrowser(['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream']);
  await createTask('small-pets', dataOf(48, 32));
  await createTask('pets', dataOf(224, 224));
});
afterAll(async () => {
  await browser?.close();
  await world?.close();
});

/** A page at a run that waits for more participants. */
async function arrived(task: string, options: Parameters<typeof person>[1] = {}, minParticipants = 2) {
  const run = await world.coordinator.runs.create(
    task,
    { minParticipants, overSelection: 1, rounds: 1 },
    true,
  );
  const someone = await person(browser, options);
  await someone.page.goto(`${world.url}/?run=${run.id}`);
  await someone.page.getByTestId('file-input').waitFor({ state: 'attached' });
  return someone;
}

const fileOf = async (name: string, as = name, mimeType = '') => ({
  name: as,
  mimeType,
  buffer: await readFile(join(fixtures, name)),
});
const added = (page: Page, count: number) => expect.poll(() => dataCount(page), SOON).toBe(count);

it.each([
  ['small-pets', 'colours.png', 0],
  ['small-pets', 'grey.png', 0],
  ['small-pets', 'sixteen.png', 0],
  ['small-pets', 'colours.jpg', 0],
  ['small-pets', 'turned.jpg', 0],
  // A canvas multiplies colours by their alpha, and rounds.
  ['small-pets', 'alpha.png', 1],
  ['small-pets', 'palette.png', 1],
  ['pets', 'panorama-text.png', 0],
  ['pets', 'text1200.png', 0],
] as const)('makes the same bytes of a picture as Node: task %s, %s', async (task, name, most) => {
  const { page, context } = await arrived(task);
  await page.getByTestId('file-input').setInputFiles(join(fixtures, name));
  await added(page, 1);
  const [kept] = await keptExamples(page);
  const side = task === 'pets' ? dataOf(224, 224) : dataOf(48, 32);
  const expected = prepareImage(await readPictureFile(await readFile(join(fixtures, name))), side);
  expect(kept?.length).toBe(expected.length);
  const largest = expected.reduce((max, byte, i) => Math.max(max, Math.abs(byte - (kept?.[i] as number))), 0);
  expect(largest).toBeLessThanOrEqual(most);
  await context.close();
});

it('names the files that cannot be read, and tries those without an ending', async () => {
  const { page, context } = await arrived('small-pets');
  await page
    .getByTestId('file-input')
    .setInputFiles([
      await fileOf('colours.png', 'IMG_0001'),
      { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no picture') },
      { name: 'nothing.png', mimeType: 'image/png', buffer: Buffer.alloc(0) },
      { name: 'logo.svg', mimeType: 'image/svg+xml', buffer: Buffer.from('<svg/>') },
    ]);
  await added(page, 1);
  await expect
    .poll(() => page.getByTestId('unreadable').locator('li').allTextContents(), SOON)
    .toEqual([
      'notes.txt: damaged, or in a format that this browser does not know',
      'nothing.png: it is empty',
      'logo.svg: SVG is a drawing without pixels: save it as PNG',
    ]);
  await context.close();
});

it('can be stopped while it reads many', async () => {
  const { page, context } = await arrived('pets');
  const one = await fileOf('text1200.png', 'text.png', 'image/png');
  await page
    .getByTestId('file-input')
    .setInputFiles(Array.from({ length: 200 }, (_, i) => ({ ...one, name: `${i}.png` })));
  await page.getByTestId('pictures-progress').getByRole('button').click();
  await page.getByText(/Stopped: \d+ were not read\./).waitFor(SOON);
  const count = await dataCount(page);
  expect(count).toBeGreaterThan(0);
  expect(count).toBeLessThan(200);
  await context.close();
});

it('answers about a picture by file, by drop and by paste, and about the camera', async () => {
  const { page, context, problems } = await arrived('small-pets', {}, 1);
  const asked = page.getByTestId('ask-picture');
  const chosen = () => page.getByTestId('ask-told').textContent();
  await page.getByTestId('file-input').setInputFiles(join(fixtures, 'grey.png'));
  await added(page, 1);
  await page.getByTestId('file-label').selectOption('1');
  await page.getByTestId('file-input').setInputFiles(join(fixtures, 'colours.png'));
  await added(page, 2);
  await consentAndStart(page);
  const bars = () => asked.locator('.balance-count').allTextContents();

  await page.getByTestId('predict-file').setInputFiles(join(fixtures, 'colours.jpg'));
  await expect.poll(chosen, SOON).toBe('Asked about colours.jpg.');
  await expect.poll(bars, SOON).toContainEqual(expect.stringMatching(/%/));

  const bytes = [...(await readFile(join(fixtures, 'turned.jpg')))];
  await asked.evaluate((element, content) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([Uint8Array.from(content)], 'pasted.jpg', { type: 'image/jpeg' }));
    element.dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true }));
  }, bytes);
  await expect.poll(chosen, SOON).toBe('Asked about the pasted picture.');
  await expect
    .poll(() => asked.getByRole('img').first().getAttribute('aria-label'), SOON)
    .toBe('The pasted picture, as the model sees it');

  await asked.evaluate((element, content) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([Uint8Array.from(content)], 'dropped.jpg', { type: 'image/jpeg' }));
    element.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }, bytes);
  await expect.poll(chosen, SOON).toBe('Asked about dropped.jpg.');

  await page
    .getByTestId('predict-file')
    .setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no picture') });
  await expect.poll(chosen, SOON).toBe('notes.txt could not be read as a picture.');

  await page.getByTestId('ask-camera-open').click();
  await expect
    .poll(() => asked.getByRole('img').first().getAttribute('aria-label'), SOON)
    .toBe('The camera’s picture, as the model sees it');
  expect(await chosen()).toBe('');
  await page.getByTestId('ask-camera-stop').click();
  // Nothing of it is kept.
  expect(await dataCount(page)).toBe(2);
  expect(problems).toEqual([]);
  await context.close();
});
