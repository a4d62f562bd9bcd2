import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
import { addPictures, consentAndStart, draw, waitForAccepted } from './client-page.ts';
import { digitFiles, strokes } from './pictures.ts';
import { ADMIN_KEY, startWorld, type World } from './world.ts';

/* A model whose frame is larger than a message goes both ways in pieces, in a real browser, too. */
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

const HIDDEN = 800;
const PARAMETERS = 784 * HIDDEN + HIDDEN + HIDDEN * 10 + 10;

const layer = (class_name: string, config: object) => ({ class_name, config });

it('a browser trains a model of 2.5 MB', async () => {
  const response = await fetch(`${world.url}/api/tasks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${ADMIN_KEY}` },
    body: JSON.stringify({
      id: 'wide-digits',
      title: { en: 'Wide digits' },
      description: { en: 'Digits, by a model that is larger than a message.' },
      data: {
        kind: 'image',
        width: 28,
        height: 28,
        channels: 1,
        classes: Array.from({ length: 10 }, (_, digit) => String(digit)),
        ink: 'light-on-dark',
        drawable: true,
      },
      model: layer('Sequential', {
        name: 'wide',
        layers: [
          layer('Flatten', { name: 'flat', batch_input_shape: [null, 28, 28, 1] }),
          layer('Dense', { name: 'hidden', units: HIDDEN, activation: 'relu' }),
          layer('Dense', { name: 'digit', units: 10, activation: 'softmax' }),
        ],
      }),
    }),
  });
  expect(response.status).toBe(201);
  const run = await world.coordinator.runs.create(
    'wide-digits',
    { rounds: 2, minParticipants: 1, overSelection: 1 },
    true,
  );
  const { page } = await person(browser);
  await page.goto(`${world.url}/`);
  await addPictures(page, 1, await digitFiles(1, 12));
  await consentAndStart(page);
  await waitForAccepted(page, 2);

  const rounds = await world.coordinator.storage.rounds(run.id);
  expect(rounds.map(({ outcome, accepted }) => [outcome, accepted])).toEqual([
    ['committed', 1],
    ['committed', 1],
  ]);
  for (const { bytesUp } of rounds) expect(bytesUp).toBeGreaterThan(PARAMETERS * 4);

  // At the end the page shows less, and what is below moves up: who draws now would miss the sheet.
  await page.locator('[data-testid="status"][data-activity="ended"]').waitFor();
  // The last model comes with no round: it is pulled, in pieces, and answers.
  await draw(page, 'predict-canvas', strokes[1] as (readonly [number, number])[]);
  await page.waitForFunction(
    () => !/^\s*(–|)\s*$/.test(document.querySelector('[data-testid="prediction-after"]')?.textContent ?? ''),
  );
});
