import type { Run } from '@coppice/protocol';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
import { committedRounds, everybody, finished, Lives, until } from '../chaos/world.ts';
import { addPictures, consentAndStart, waitForAccepted } from './client-page.ts';
import { digitFiles } from './pictures.ts';
import { headless } from './world.ts';

/*
 * Strategies beyond FedAvg in a real browser with headless participants: over a coordinator that is killed between
 * acknowledgement, commit and notice, and a page that is loaded anew, to the model that was made without any of it.
 */
const ROUNDS = 8;
const CLIENTS = 3;

let lives: Lives;
let browser: Browser;

beforeAll(async () => {
  lives = new Lives({});
  await lives.begin();
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await lives?.end();
});

/** Makes a run and lets the page and two headless participants join it; it is not started yet. */
async function gather(page: Page, strategy: string, agreed: boolean) {
  const { id } = await lives.api<Run>('POST', '/runs', {
    task: 'mnist-2nn',
    plan: { ...everybody(CLIENTS, ROUNDS), strategy },
    start: false,
  });
  await page.goto(`${lives.url}/?run=${id}`);
  if (!agreed) {
    await addPictures(page, 3, await digitFiles(3, 20));
    await addPictures(page, 5, await digitFiles(5, 20));
    // Backends differ in the last bits, and the fastest may be another one the next time.
    const select = page.getByTestId('care-backend');
    if (!(await select.isVisible())) await page.getByTestId('care').locator('summary').click();
    await select.selectOption('planned');
  }
  await consentAndStart(page);
  const others = await headless(lives.url, id, { count: CLIENTS - 1, examples: 60 });
  return { id, others };
}

describe.each(['fedadam', 'scaffold', 'median'])('%s', (strategy) => {
  it('makes the same model, to the bit, when the coordinator is killed and the page loaded anew', async ({
    signal,
  }) => {
    const { page, context, problems } = await person(browser);
    const undisturbed = await gather(page, strategy, false);
    await lives.api('POST', `/runs/${undisturbed.id}/start`);
    const expected = await finished({ lives, run: undisturbed.id }, signal);
    for (const other of undisturbed.others) other.close();

    const { id: run, others } = await gather(page, strategy, true);
    await lives.api('POST', `/runs/${run}/start`);
    await waitForAccepted(page, 1);
    await page.reload();
    await until(async () => (await committedRounds(lives, run)).length >= 3, signal);
    await lives.death(true);
    for (const at of ['storage.commit:before', 'storage.commit:after']) {
      await lives.begin({ at, nth: 1 });
      await lives.death();
    }
    await lives.begin();
    await page.reload();
    const ended = await finished({ lives, run }, signal);
    expect(ended.checkpoint).toBe(expected.checkpoint);
    const committed = await committedRounds(lives, run);
    expect(committed.map(({ accepted }) => accepted)).toEqual(Array.from({ length: ROUNDS }, () => CLIENTS));
    // A coordinator that is down is an error on the console, and no other is there.
    expect(problems.filter((text) => !/Failed to load resource|WebSocket connection/.test(text))).toEqual([]);
    for (const other of others) other.close();
    await context.close();
  });
});
