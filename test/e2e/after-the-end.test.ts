import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, type Person, person } from '../browser/launch.ts';
import { addPictures, consentAndStart, draw } from './client-page.ts';
import { digitFiles, strokes } from './pictures.ts';
import { headless, startWorld, type World } from './world.ts';

/* Whoever comes back after a run's end was sent no model, and asks its last one all the same. */
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

/** Resolves when the run is over. */
function finished(run: string): Promise<void> {
  const over = () => world.coordinator.runs.get(run).status === 'finished';
  return new Promise((resolve) => {
    const stop = world.coordinator.runs.subscribe({
      runChanged: () => {
        if (!over()) return;
        stop();
        resolve();
      },
      participantsChanged: () => {},
      roundChanged: () => {},
    });
    if (over()) {
      stop();
      resolve();
    }
  });
}

/** What the newest model says: its answer, and the probability of each class in percent. */
async function answerOn(page: Page) {
  const answer = page.getByTestId('prediction-after');
  await page.waitForFunction(
    () => !/^\s*(–|)\s*$/.test(document.querySelector('[data-testid="prediction-after"]')?.textContent ?? ''),
  );
  const shares = await page.locator('#use .balance-count').allTextContents();
  return { text: await answer.textContent(), shares: shares.map((share) => Number.parseFloat(share)) };
}

function expectProbabilities(shares: readonly number[], classes: number): void {
  expect(shares).toHaveLength(classes);
  // Each is rounded to a whole percent.
  expect(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 100)).toBeLessThanOrEqual(classes / 2);
}

it.each(['open', 'invited'] as const)(
  'a page that took part in a run, %s, reloaded after the end, asks the last model about a drawn digit',
  async (admission) => {
    const run = await world.coordinator.runs.create(
      'mnist-2nn',
      { rounds: 1, minParticipants: 2, overSelection: 1, quorum: 1 },
      false,
      { admission },
    );
    const { secret } = await world.coordinator.admissions.invite(run.id, {}, 'the tests');
    const someone: Person = await person(browser);
    const { page } = someone;
    await page.goto(`${world.url}/?run=${run.id}#invite=${secret}`);
    await addPictures(page, 1, await digitFiles(1, 12));
    await consentAndStart(page);
    const clients = await headless(world.url, run.id, { count: 1, examples: 300, invitation: secret });
    await world.coordinator.runs.act(run.id, 'start');
    await finished(run.id);
    for (const client of clients) client.close();

    await page.reload();
    await draw(page, 'predict-canvas', strokes[1] as (readonly [number, number])[]);
    const { text, shares } = await answerOn(page);
    expect(text).toMatch(/^\s*\d\s*$/);
    expectProbabilities(shares, 10);
    // No first model is claimed to have been here.
    expect(await page.getByTestId('prediction').count()).toBe(0);
    expect(someone.problems).toEqual([]);
    await someone.context.close();
  },
);

it('a page that never took part asks the last model of a run that its link names about a row', async () => {
  const run = await world.coordinator.runs.create('iris', {}, false);
  await world.coordinator.runs.act(run.id, 'stop');
  const someone = await person(browser);
  await someone.page.goto(`${world.url}/?run=${run.id}`);
  const { text, shares } = await answerOn(someone.page);
  expect(text).toMatch(/setosa|versicolor|virginica/i);
  expectProbabilities(shares, 3);
  expect(world.coordinator.runs.get(run.id).participants).toBe(0);
  expect(someone.problems).toEqual([]);
});
