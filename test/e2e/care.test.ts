import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, type Person, person } from '../browser/launch.ts';
import { accepted, addPictures, consentAndStart, waitForAccepted } from './client-page.ts';
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

/** What a device tells, as the test wants it: the browser's own answers are those of a server in a rack. */
interface Device {
  charging: boolean;
  level: number;
  type: string;
  saveData: boolean;
  hidden: boolean;
}
const fine: Device = { charging: true, level: 0.8, type: 'wifi', saveData: false, hidden: false };

/** Before the page begins: a battery, a network and a tab that the test can change. */
function fakeDevice(device: Device): void {
  const battery = Object.assign(new EventTarget(), device);
  const connection = Object.assign(new EventTarget(), device);
  Object.defineProperty(Navigator.prototype, 'getBattery', { value: () => Promise.resolve(battery) });
  Object.defineProperty(Navigator.prototype, 'connection', { get: () => connection });
  Object.defineProperty(Document.prototype, 'hidden', { get: () => device.hidden });
  Object.assign(globalThis, {
    changeDevice(change: Partial<Device>) {
      Object.assign(device, change);
      Object.assign(battery, change);
      Object.assign(connection, change);
      battery.dispatchEvent(new Event('chargingchange'));
      connection.dispatchEvent(new Event('change'));
      document.dispatchEvent(new Event('visibilitychange'));
    },
  });
}
const change = (page: Page, to: Partial<Device>) =>
  page.evaluate(
    (given) => (globalThis as unknown as { changeDevice(change: Partial<Device>): void }).changeDevice(given),
    to,
  );
const says = (page: Page, words: string) => page.getByTestId('status').filter({ hasText: words }).waitFor();

async function takePart(
  device: Device,
  options: Parameters<typeof person>[1] = {},
  prepare: (someone: Person) => Promise<void> = async () => {},
) {
  const run = await world.coordinator.runs.create(
    'mnist-2nn',
    { rounds: 5000, minParticipants: 1, overSelection: 1 },
    true,
  );
  const someone = await person(browser, options);
  await someone.context.addInitScript(fakeDevice, device);
  await prepare(someone);
  const { page } = someone;
  await page.goto(`${world.url}/?run=${run.id}`);
  await addPictures(page, 1, await digitFiles(1, 20));
  await addPictures(page, 4, await digitFiles(4, 20));
  await consentAndStart(page);
  return { ...someone, run: run.id };
}

it('pauses for each reason, says why and until when, and goes on by itself', async () => {
  const { page, context, problems, run } = await takePart({ ...fine, charging: false, level: 0.1 });
  await says(page, 'the battery is low. It goes on when the device is plugged in');
  expect(await accepted(page)).toBe(0);
  await change(page, fine);
  await waitForAccepted(page, 1);

  await page.getByTestId('care').locator('summary').click();
  await page.getByTestId('care-plugged').check();
  await page.getByTestId('care-hidden').check();
  for (const [away, words] of [
    [{ charging: false }, 'runs on battery'],
    [{ type: 'cellular' }, 'on mobile data'],
    [{ saveData: true }, 'set to save data'],
    [{ hidden: true }, 'this tab is hidden'],
  ] as const) {
    await change(page, away);
    await says(page, words);
    const before = await accepted(page);
    await change(page, fine);
    await waitForAccepted(page, before + 1);
  }

  // The person may say otherwise; of a reason that is new, they have said nothing.
  await change(page, { type: 'cellular' });
  await says(page, 'on mobile data');
  const before = await accepted(page);
  await page.getByTestId('resume').click();
  await waitForAccepted(page, before + 1);
  await change(page, { charging: false });
  await says(page, 'runs on battery');

  // Switched off, a wish holds nothing back; and the switches are as they were left, after a reload.
  await page.getByTestId('care-plugged').uncheck();
  await waitForAccepted(page, (await accepted(page)) + 1);
  await page.reload();
  await page.getByTestId('care').locator('summary').click();
  expect(await page.getByTestId('care-plugged').isChecked()).toBe(false);
  expect(await page.getByTestId('care-hidden').isChecked()).toBe(true);
  expect(problems).toEqual([]);
  await context.close();
  await world.coordinator.runs.act(run, 'stop');
});

it('takes the share of the time that it is given, also after a reload', async () => {
  const { page, context, problems, run } = await takePart(fine);
  await waitForAccepted(page, 1);
  await page.getByTestId('care').locator('summary').click();
  // By keyboard: from all of it, nine steps down.
  await page.getByTestId('care-share').focus();
  for (let step = 0; step < 9; step++) await page.keyboard.press('ArrowLeft');
  expect(await page.getByTestId('care-share').inputValue()).toBe('10');
  await waitForAccepted(page, (await accepted(page)) + 2);
  await page.reload();
  await waitForAccepted(page, 1);
  expect(await page.getByTestId('care').locator('summary').textContent()).toContain('10%');
  expect(problems).toEqual([]);
  await context.close();
  await world.coordinator.runs.act(run, 'stop');
});

it('takes less of a device that is under strain, says so, and takes its share again later', async () => {
  const { page, context, problems, run } = await takePart(fine, {}, async ({ page, context }) => {
    await context.addInitScript(() => {
      Object.assign(globalThis, {
        PressureObserver: class {
          constructor(changed: (records: { state: string }[]) => void) {
            Object.assign(globalThis, { changePressure: (state: string) => changed([{ state }]) });
          }
          observe() {
            return Promise.resolve();
          }
        },
      });
    });
    await page.clock.install();
  });
  const press = (state: string) =>
    page.evaluate(
      (given) => (globalThis as unknown as { changePressure(state: string): void }).changePressure(given),
      state,
    );
  await waitForAccepted(page, 1);
  await press('critical');
  expect(await page.getByTestId('eased').count()).toBe(0);
  await page.clock.fastForward(20_000);
  await page.getByTestId('eased').filter({ hasText: 'overloaded' }).waitFor();
  await waitForAccepted(page, (await accepted(page)) + 1);
  await press('fair');
  await page.clock.fastForward(120_000);
  await page.getByTestId('eased').waitFor({ state: 'detached' });
  expect(problems).toEqual([]);
  await context.close();
  await world.coordinator.runs.act(run, 'stop');
});

it.each(['en-US', 'zh-CN'])('fits a narrow phone with all of it open, in %s', async (locale) => {
  const { page, context, run } = await takePart(
    { ...fine, charging: false, level: 0.1 },
    { locale, viewport: { width: 320, height: 700 } },
  );
  await page.locator('[data-testid="status"][data-activity="paused"]').waitFor();
  await page.getByTestId('care').locator('summary').click();
  for (const width of [320, 360, 390]) {
    await page.setViewportSize({ width, height: 700 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(
      0,
    );
  }
  await context.close();
  await world.coordinator.runs.act(run, 'stop');
});
