import AxeBuilder from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
import { addPictures, consentAndStart } from './client-page.ts';
import { digitFiles } from './pictures.ts';
import { ADMIN_KEY, startWorld, type World } from './world.ts';

/* Who may take part: as the operator says it on one page, and as people meet it on the other. */
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

const idOn = async (page: Page) => (await page.getByTestId('own-id').first().textContent()) as string;
const violations = async (page: Page) =>
  (await new AxeBuilder({ page }).analyze()).violations.map(({ id, nodes }) => [id, nodes[0]?.html]);

async function signedIn() {
  const operator = await person(browser);
  await operator.page.goto(`${world.url}/admin?key=${ADMIN_KEY}`);
  await operator.page.getByTestId('launch').waitFor();
  return operator;
}

/** Opens the client page with an example and an agreement, and presses Start. */
async function comesBy(page: Page, link: string): Promise<void> {
  await page.goto(link);
  await addPictures(page, 1, await digitFiles(1, 3));
  await consentAndStart(page);
}

it('an operator makes a link, who opens it joins, who has none is told what to do, and a ban ends it', async () => {
  const operator = await signedIn();
  const admin = operator.page;
  await admin.goto(`${world.url}/admin#launch=mnist-2nn`);
  await admin.getByTestId('admission-invited').check();
  await admin.getByTestId('create-run').click();
  await admin.getByTestId('run-admission').waitFor();
  const run = new URLSearchParams(new URL(admin.url()).hash.slice(1)).get('run') as string;
  expect(world.coordinator.runs.get(run).admission).toBe('invited');
  await admin.getByTestId('invitation-label').fill('Class 3');
  await admin.getByTestId('invitation-uses').fill('5');
  await admin.getByTestId('invite-participants').click();
  const link = ((await admin.getByTestId('invitation-link').textContent()) as string).trim();
  await admin.getByTestId('qr-code').waitFor();
  expect(link).toMatch(new RegExp(`^${world.url}/\\?run=${run}#invite=join-[\\w-]{32}$`));

  const stranger = await person(browser);
  await comesBy(stranger.page, `${world.url}/?run=${run}`);
  const refusal = stranger.page.getByTestId('error');
  await refusal.waitFor();
  expect(await refusal.getAttribute('data-code')).toBe('run-not-admitted');
  expect(await refusal.textContent()).toContain('This training is not open to everyone.');
  expect(await refusal.getByTestId('own-id').textContent()).toMatch(/^[0-9a-f]{32}$/);
  expect(await stranger.page.getByTestId('start').count()).toBe(1);
  expect(await violations(stranger.page)).toEqual([]);

  const guest = await person(browser);
  await guest.page.goto(link);
  await guest.page.getByTestId('invited').waitFor();
  // Out of the address bar before anything else; a reload does not lose it.
  expect(guest.page.url()).toBe(`${world.url}/?run=${run}`);
  await guest.page.reload();
  await guest.page.getByTestId('invited').waitFor();
  await addPictures(guest.page, 1, await digitFiles(1, 3));
  await consentAndStart(guest.page);
  await guest.page.getByTestId('leave').waitFor();
  await admin.getByTestId('invitations').getByText('1 of 5').waitFor();
  const id = await idOn(guest.page);
  await admin.getByTestId('listed').getByText(id).waitFor();
  // It was let in for good, and the secret is kept nowhere any more.
  await guest.page.waitForFunction(() => localStorage.getItem('coppice.invitation') === 'null');
  await guest.page.reload();
  await guest.page.getByTestId('leave').waitFor();

  // By hand: the stranger told its id.
  await admin.getByTestId('list-ids').fill(`${await idOn(stranger.page)}, nonsense`);
  expect(await admin.getByTestId('list-add').isDisabled()).toBe(true);
  await admin.getByTestId('list-ids').fill(await idOn(stranger.page));
  await admin.getByTestId('list-add').click();
  await admin
    .getByTestId('listed')
    .getByText(await idOn(stranger.page))
    .waitFor();
  await stranger.page.getByTestId('start').click();
  await stranger.page.getByTestId('leave').waitFor();
  expect(await violations(admin)).toEqual([]);

  await admin
    .getByTestId('participants-table')
    .getByRole('button', { name: `Ban: ${id.slice(0, 8)}` })
    .click();
  await admin.getByTestId('ban-reason').fill('sends nonsense');
  expect(await violations(admin)).toEqual([]);
  await admin
    .getByRole('dialog', { name: `Ban ${id.slice(0, 8)}?` })
    .getByTestId('confirm')
    .click();
  const ended = guest.page.getByTestId('error');
  await ended.waitFor();
  expect(await ended.getAttribute('data-code')).toBe('participant-banned');
  await guest.page.getByTestId('start').waitFor();
  expect(await guest.page.textContent('body')).not.toContain('sends nonsense');
  await guest.page.getByTestId('start').click();
  // The card of the first refusal is no answer to the second try: the button is.
  await guest.page.locator('[data-testid="start"]:not(:disabled)').waitFor();
  await guest.page.locator('[data-code="participant-banned"]').waitFor();
  await admin.getByTestId('banned').waitFor();
  await admin.getByTestId('bans').getByText('sends nonsense').waitFor();
  await admin.getByTestId('bans').getByRole('button', { name: /Lift/ }).click();
  await admin.getByTestId('bans').getByText('sends nonsense').waitFor({ state: 'detached' });
  await guest.page.getByTestId('start').click();
  await guest.page.getByTestId('leave').waitFor();

  for (const { problems, context } of [operator, guest, stranger]) {
    expect(problems).toEqual([]);
    await context.close();
  }
});

it('a run is closed while people take part; a ban from everything ends the connection, in Chinese too', async () => {
  const run = await world.coordinator.runs.create('mnist-2nn', { minParticipants: 9 }, true);
  const someone = await person(browser, { locale: 'zh-CN' });
  await comesBy(someone.page, `${world.url}/?run=${run.id}`);
  await someone.page.getByTestId('leave').waitFor();
  const id = await idOn(someone.page);

  const operator = await signedIn();
  const admin = operator.page;
  await admin.goto(`${world.url}/admin#run=${run.id}`);
  await admin.getByTestId('admission-listed').click();
  await admin
    .getByRole('dialog', { name: /Only a list/ })
    .getByTestId('confirm')
    .click();
  await admin.getByTestId('listed').getByText(id).waitFor();
  expect(world.coordinator.runs.get(run.id)).toMatchObject({ admission: 'listed', participants: 1 });
  await someone.page.getByTestId('admission').getByText('运营者列入名单的人').waitFor();

  await admin.getByTestId('listed').getByRole('button', { name: 'Take off' }).click();
  await admin
    .getByRole('dialog', { name: /Take this/ })
    .getByTestId('confirm')
    .click();
  const refusal = someone.page.getByTestId('error');
  await refusal.waitFor();
  expect(await refusal.getAttribute('data-code')).toBe('run-not-admitted');
  expect(await refusal.textContent()).toContain('此训练不对所有人开放。');

  await admin.getByText('Ban by id').click();
  await admin.getByTestId('ban-id').fill(id);
  await admin.getByTestId('ban-id-submit').click();
  const dialog = admin.getByRole('dialog', { name: `Ban ${id.slice(0, 8)}?` });
  await dialog.getByTestId('ban-everywhere').check();
  await dialog.getByTestId('confirm').click();
  await someone.page.locator('[data-testid="connection"][data-connection="refused"]').waitFor();
  await someone.page.locator('[data-code="participant-banned"]').waitFor();
  await someone.page.reload();
  await someone.page.locator('[data-code="participant-banned"]').waitFor();

  // Who may only look sees who may take part, and is offered no way to change it.
  const viewer = await person(browser);
  const invitation = await fetch(`${world.url}/api/admin-invitations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ role: 'viewer' }),
  });
  await viewer.page.goto(((await invitation.json()) as { link: string }).link);
  await viewer.page.getByTestId('join-name').fill('Viewer');
  await viewer.page.getByTestId('join-password').fill('correct horse battery');
  await viewer.page.getByTestId('join').click();
  await viewer.page.getByTestId(`run-${run.id}`).click();
  await viewer.page.getByTestId('bans').getByText(id).waitFor();
  const section = viewer.page.getByTestId('admission');
  expect(await section.getByText('Only a list').count()).toBe(1);
  for (const control of ['button', 'input', 'textarea'])
    expect(await section.locator(control).filter({ visible: true }).count(), control).toBe(0);

  for (const { problems, context } of [operator, someone, viewer]) {
    expect(problems).toEqual([]);
    await context.close();
  }
});
