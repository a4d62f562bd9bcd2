import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import { type Coordinator, startCoordinator } from '@coppice/coordinator';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';

const PASSWORD = 'correct horse battery';
let folder: string;
let coordinator: Coordinator;
let browser: Browser;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'coppice-e2e-'));
  coordinator = await startCoordinator({ config: { port: 0, dataDir: folder, logLevel: 'error' } });
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await coordinator?.close();
  rmSync(folder, { recursive: true, force: true });
});

it('the first start makes an owner, who invites a viewer, who is offered nothing that a viewer may not do', async () => {
  const run = await coordinator.runs.create('iris', { rounds: 3 }, true);
  const owner = await person(browser);
  const { page } = owner;
  await page.goto(coordinator.admin);
  await page.getByTestId('set-up').waitFor();
  expect(page.url()).not.toContain('key=');
  await page.getByTestId('access').click();
  await page.getByTestId('account-name').fill('Ada');
  await page.getByTestId('account-password').fill(PASSWORD);
  await page.getByTestId('account-save').click();
  await page.waitForFunction(
    () => document.querySelector('[data-testid="account-saved"]')?.textContent !== '',
  );
  await page.getByTestId('sign-out').click();

  await page.getByTestId('login-name').fill('Ada');
  await page.getByTestId('login-password').fill('not the password');
  await page.getByTestId('sign-in').click();
  await page.getByTestId('login-misfit').waitFor();
  await page.getByTestId('login-password').fill(PASSWORD);
  await page.getByTestId('sign-in').click();
  await page.getByTestId('launch').waitFor();

  await page.goto(`${coordinator.url}/admin#access`);
  await page.getByTestId('invite-role').selectOption('viewer');
  await page.getByTestId('invite').click();
  const link = (await page.getByTestId('invite-link').textContent()) as string;

  // Ada's own actions, without the failed attempt, which was nobody's.
  await page.getByTestId('audit-who').selectOption({ label: 'Ada' });
  await page.getByTestId('audit').getByText('changed name or password').waitFor();
  expect((await new AxeBuilder({ page }).analyze()).violations.map(({ id }) => id)).toEqual([]);

  const viewer = await person(browser, { locale: 'zh-CN' });
  await viewer.page.goto(link.trim());
  await viewer.page.getByTestId('join-name').fill('小林');
  await viewer.page.getByTestId('join-password').fill(PASSWORD);
  await viewer.page.getByTestId('join').click();
  await viewer.page.getByTestId(`run-${run.id}`).click();
  await viewer.page.getByTestId('run-status').first().waitFor();
  for (const offered of ['launch', 'new-task', 'pause', 'stop', 'end-round'])
    expect(await viewer.page.getByTestId(offered).count(), offered).toBe(0);
  await page.goto(`${coordinator.url}/admin#run=${run.id}`);
  await page.getByTestId('stop').waitFor();

  // Removed, and out at once, without a reload.
  const viewerId = (await coordinator.storage.admins()).find(({ name }) => name === '小林')?.id as string;
  await page.goto(`${coordinator.url}/admin#access`);
  await page.reload();
  await page.getByRole('row', { name: /小林/ }).getByRole('button', { name: 'Remove' }).first().click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await viewer.page.getByTestId('key-changed').waitFor();
  expect((await coordinator.storage.admins()).map(({ id }) => id)).not.toContain(viewerId);
  expect(owner.problems.filter((problem) => !problem.includes('401'))).toEqual([]);
  await owner.context.close();
  await viewer.context.close();
});
