import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
import { addPictures, consentAndStart, waitForAccepted } from './client-page.ts';
import { digitFiles } from './pictures.ts';
import { type Recorder, record } from './recorder.ts';
import { startWorld, type World } from './world.ts';

/* A codec that leaves numbers out keeps them on the device: in IndexedDB, from one load of the page to the next. */
let world: World;
let wire: Recorder;
let browser: Browser;

beforeAll(async () => {
  world = await startWorld();
  wire = await record(world.url);
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await wire?.close();
  await world?.close();
});

/** Versions that this browser keeps of its runs. */
function versions(page: Page): Promise<{ round: number; counted: boolean; ticket: string }[]> {
  return page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open('coppice-state');
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const all = opening.result.transaction('version').objectStore('version').getAll();
          all.onerror = () => reject(all.error);
          all.onsuccess = () => {
            resolve(all.result);
            opening.result.close();
          };
        };
      }),
  );
}

it('outlives a reload, is asked about, and goes with its run', async () => {
  const run = await world.coordinator.runs.create(
    'mnist-2nn',
    { rounds: 500, minParticipants: 1, overSelection: 1, uploadCodec: 'top10' },
    true,
  );
  const { page, problems } = await person(browser);
  await page.goto(`${wire.url}/`);
  await addPictures(page, 1, await digitFiles(1, 12));
  await consentAndStart(page);
  await waitForAccepted(page, 4);
  await world.coordinator.runs.act(run.id, 'pause');
  // A round that is open goes on to its end.
  await expect
    .poll(
      async () => {
        const kept = await versions(page);
        const { phase, round } = world.coordinator.runs.get(run.id);
        return {
          phase,
          ago: kept.map((version) => round - version.round).toSorted(),
          counted: kept.every(({ counted }) => counted),
        };
      },
      { timeout: 120_000 },
    )
    .toEqual({ phase: 'idle', ago: [0, 1, 2], counted: true });
  expect(wire.sent().includes('["counted",')).toBe(false);

  await page.reload();
  await expect.poll(() => wire.sent().includes('["counted",'), { timeout: 120_000 }).toBe(true);
  await world.coordinator.runs.act(run.id, 'resume');
  await waitForAccepted(page, 2);
  await world.coordinator.runs.act(run.id, 'stop');
  await expect.poll(() => versions(page), { timeout: 120_000 }).toEqual([]);
  expect(problems).toEqual([]);
});
