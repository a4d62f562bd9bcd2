import { eventKinds, type Reason } from '@coppice/protocol';
import { sampleEvents } from '@coppice/protocol/testing';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
import { startWorld, type World } from './world.ts';

let world: World;
let browser: Browser;
beforeAll(async () => {
  world = await startWorld();
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await world.close();
});

const english = /[A-Za-z]{2,},? [A-Za-z]{2,}/;
const reason: Reason = {
  code: 'training-diverged',
  message: 'The training diverged on 3 of the 4 devices that were asked.',
  facts: { on: 'devices', diverged: 3, asked: 4 },
};

it('a paused run and every kind of event are said in Chinese, on a phone, within its width', async () => {
  const { id } = await world.coordinator.runs.create('iris', { rounds: 20 }, false);
  const { storage } = world.coordinator;
  const record = (await storage.runs()).find((run) => run.id === id);
  if (record === undefined) throw new Error(`the run ${id} is not stored`);
  await storage.putRun({ ...record, status: 'paused', reason });
  const every = eventKinds.flatMap((kind) =>
    sampleEvents[kind].map((data) => ({
      ...{ at: 1, run: id, round: 1, level: 'warning' as const },
      ...{ kind, message: 'What the coordinator wrote.', data: { ...data } as Reason['facts'] & object },
    })),
  );
  await storage.appendEvents(every);
  await world.stop();
  await world.startAgain();

  const { page, context, problems } = await person(browser, {
    locale: 'zh-CN',
    viewport: { width: 390, height: 844 },
  });
  await page.goto(`${world.coordinator.admin}#run=${id}`);
  const banner = page.getByTestId('run-reason');
  await banner.waitFor();
  expect(await banner.textContent()).toContain('受邀的 4 台设备中有 3 台训练发散');
  const log = page.getByTestId('event-log').locator('li');
  await expect.poll(() => log.count()).toBeGreaterThanOrEqual(every.length);
  for (const text of [await banner.textContent(), ...(await log.allTextContents())])
    expect(text).not.toMatch(english);
  for (const text of await page.getByTestId('refused-table').locator('tbody td').allTextContents())
    expect(text).not.toMatch(english);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
  expect(problems).toEqual([]);
  await context.close();
});
