import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
import { addPictures, consentAndStart, draw, waitForAccepted } from './client-page.ts';
import { digitFiles, strokes } from './pictures.ts';
import { addWideDigits, PARAMETERS } from './wide-digits.ts';
import { startWorld, type World } from './world.ts';

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

it('a browser trains a model of 2.5 MB', async () => {
  await addWideDigits(world);
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
