import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
import { createWithWeights } from '../given-weights.ts';
import { addPictures, consentAndStart, waitForAccepted } from './client-page.ts';
import { digitFiles } from './pictures.ts';
import { type Recorder, record } from './recorder.ts';
import { startWorld, type World } from './world.ts';

/* The frozen part of a model is kept in IndexedDB, by its hash: a page fetches it once. */
let world: World;
let wire: Recorder;
let browser: Browser;

beforeAll(async () => {
  world = await startWorld();
  wire = await record(world.url);
  browser = await launchBrowser();
  await createWithWeights(world.coordinator, {
    id: 'frozen-digits',
    title: { en: 'Frozen digits' },
    description: { en: 'Digits, told apart by what fixed filters see.' },
    data: {
      kind: 'image',
      width: 28,
      height: 28,
      channels: 1,
      classes: Array.from({ length: 10 }, (_, i) => String(i)),
      ink: 'light-on-dark',
    },
    model: {
      class_name: 'Sequential',
      config: {
        name: 'frozen_digits',
        layers: [
          {
            class_name: 'Conv2D',
            config: {
              name: 'filters',
              filters: 16,
              kernel_size: [5, 5],
              strides: [2, 2],
              activation: 'relu',
              trainable: false,
              batch_input_shape: [null, 28, 28, 1],
            },
          },
          { class_name: 'MaxPooling2D', config: { name: 'pool', pool_size: [3, 3], strides: [3, 3] } },
          { class_name: 'Flatten', config: { name: 'flat' } },
          { class_name: 'Dense', config: { name: 'head', units: 10, activation: 'softmax' } },
        ],
      },
    },
    loss: 'categoricalCrossentropy',
    heldOut: 0.1,
  });
});
afterAll(async () => {
  await browser?.close();
  await wire?.close();
  await world?.close();
});

/** The hashes and sizes of parcels that this browser keeps. */
function kept(page: Page): Promise<{ hash: string; bytes: number }[]> {
  return page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open('coppice-parcels');
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const all = opening.result.transaction('use').objectStore('use').getAll();
          all.onerror = () => reject(all.error);
          all.onsuccess = () => {
            resolve(all.result.map(({ hash, bytes }) => ({ hash, bytes })));
            opening.result.close();
          };
        };
      }),
  );
}

it('is fetched once, however often the page is opened and whatever run trains it', async () => {
  const launch = () =>
    world.coordinator.runs.create(
      'frozen-digits',
      { rounds: 500, minParticipants: 1, overSelection: 1, seed: 5 },
      true,
    );
  const first = await launch();
  const { page, problems } = await person(browser);
  // Over HTTP, or over the socket.
  const fetches = () =>
    [
      ...wire
        .sent()
        .toString()
        .matchAll(/\["parcel",|GET \/api\/runs\/[^ ]+\/parcels\//g),
    ].length;
  await page.goto(`${wire.url}/`);
  await addPictures(page, 1, await digitFiles(1, 12));
  await consentAndStart(page);
  await waitForAccepted(page, 3);
  expect(fetches()).toBe(1);
  expect(await kept(page)).toEqual([
    { hash: expect.stringMatching(/^[0-9a-f]{64}$/), bytes: 4 * (16 * 25 + 16) },
  ]);

  await page.reload();
  await waitForAccepted(page, 2);
  expect(fetches()).toBe(1);

  // Another run of the task has the same filters.
  await world.coordinator.runs.act(first.id, 'stop');
  await page.getByText('You can go on using the model').waitFor();
  const second = await launch();
  await page.goto(`${wire.url}/?run=${second.id}`);
  await consentAndStart(page);
  await waitForAccepted(page, 2);
  expect(fetches()).toBe(1);
  expect(await kept(page)).toHaveLength(1);
  expect(problems).toEqual([]);
});
