import AxeBuilder from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
import { periodOf, wholePolicy } from './monitored.ts';
import { ADMIN_KEY, startWorld, type World } from './world.ts';

/* A task that declares groups: made by the form, and its errors by group on the drift page. */

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

const model = JSON.stringify({
  modelTopology: {
    class_name: 'Sequential',
    config: {
      name: 'taps',
      layers: [
        {
          class_name: 'Dense',
          config: {
            name: 'tap',
            units: 2,
            activation: 'softmax',
            use_bias: true,
            batch_input_shape: [null, 4],
            dtype: 'float32',
          },
        },
      ],
    },
  },
});

async function signIn(page: Page): Promise<void> {
  await page.goto(`${world.url}/admin?key=${ADMIN_KEY}`);
  await page.getByTestId('launch').waitFor();
}

it('is declared in the form of a new task, which says what cannot be a group', async () => {
  const { page, context } = await person(browser);
  await signIn(page);
  await page.goto(`${world.url}/admin#new-task`);
  const field = (name: string) => page.getByTestId(name === 'model' ? 'task-json' : `task-field-${name}`);
  await field('kind').selectOption('table');
  const values = {
    id: 'taps',
    titleEn: 'Taps',
    descriptionEn: 'Tells taps apart.',
    features: 'device: phone | tablet\nforce',
    groups: 'force',
    target: 'tap',
    classes: 'no\nyes',
    model,
  };
  for (const [name, value] of Object.entries(values)) await field(name).fill(value);
  await page.getByTestId('task-submit').click();
  await page.getByTestId('task-error').getByText('the column "force" is one of numbers').waitFor();
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
  await field('groups').fill('device');
  await page.getByTestId('task-submit').click();
  await expect.poll(() => page.url(), { timeout: 15_000 }).not.toContain('new-task');
  expect(world.coordinator.tasks.get('taps').data).toMatchObject({ groups: 'device' });
  await context.close();
});

it.each([
  [
    'en-US',
    'Errors by “device”',
    ['tablet32.0%30.0% to 34.0%31', 'Other8.0%6.0% to 10.0%12', 'phone4.0%2.0% to 6.0%40'],
  ],
  [
    'zh-CN',
    '按“device”分组的误差',
    ['tablet32.0%30.0% 到 34.0%31', '其他8.0%6.0% 到 10.0%12', 'phone4.0%2.0% 到 6.0%40'],
  ],
])('shows its errors by group, the worst first (%s)', async (locale, title, rows) => {
  const { storage } = world.coordinator;
  const group = (value: number, rate: number, participants: number) => ({
    value,
    rate,
    interval: [rate - 0.02, rate + 0.02] as [number, number],
    participants,
  });
  const task = 'taps';
  if ((await storage.policy(task)) === null) {
    const by = { by: 'admin', name: 'Ada' } as const;
    await storage.putPolicy({ task, expected: null, at: 1, by, policy: wholePolicy });
    const period = periodOf(3, { columns: ['force'], now: Date.now() });
    const { verdict } = period;
    if (verdict === null) throw new Error('the period has a verdict');
    const groups = [group(1, 0.32, 31), group(2, 0.08, 12), group(0, 0.04, 40)];
    await storage.addPeriod({ ...period, task, verdict: { ...verdict, groups } });
  }
  const { page, context } = await person(browser, { locale, viewport: { width: 390, height: 844 } });
  await signIn(page);
  await page.goto(`${world.url}/admin#monitoring=${task}&period=3`);
  const table = page.getByTestId('group-errors');
  await table.waitFor();
  await table.getByText(rows[0]?.slice(0, 6) ?? '').waitFor();
  expect(await table.locator('h4').textContent()).toBe(title);
  expect(await table.locator('tbody tr').allTextContents()).toEqual(rows);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
  await context.close();
});
