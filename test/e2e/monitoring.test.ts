import AxeBuilder from '@axe-core/playwright';
import type { PolicyInfo } from '@coppice/protocol';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
import { periodOf, referenceOfPeriods, storeFirings, wholePolicy } from './monitored.ts';
import { ADMIN_KEY, headless, startWorld, type World } from './world.ts';

/* A task that was watched for some weeks: its policy as a form, its drift, its retraining, and which devices report. */
const DAY = 86_400_000;
const columns = ['Sepal length', 'Sepal width', 'Petal length', 'Petal width'];
const english = /[A-Za-z]{2,},? [A-Za-z]{2,}/;
let world: World;
let browser: Browser;
let run: string;

beforeAll(async () => {
  world = await startWorld();
  browser = await launchBrowser();
  run = await trained();
  await world.coordinator.releases.move('iris', 'production', {
    checkpoint: `${run}/1`,
    expected: null,
    reason: 'The first one.',
    by: { by: 'admin', name: 'Ada' },
  });
  const { storage, releases } = world.coordinator;
  const { sequence = 0, hash = null } = (await releases.at('iris', 'production')) ?? {};
  const reference = referenceOfPeriods(columns);
  await storage.putReference(
    {
      task: 'iris',
      release: sequence,
      checkpoint: `${run}/1`,
      hash: hash ?? '',
      at: 0,
      binning: reference,
      reference,
    },
    null,
  );
  const now = Date.now() - 365 * DAY;
  for (let number = 330; number < 365; number++)
    await storage.addPeriod(
      periodOf(number, {
        columns,
        now,
        drifted: number === 362 ? ['Petal length', 'Sepal width'] : [],
        broken: number === 363 ? 'Petal width' : undefined,
      }),
    );
  await storeFirings(world.coordinator, run, 362);
  await storage.addPeriod({ ...periodOf(365, { columns, now }), reports: 2, sums: null, verdict: null });
});
afterAll(async () => {
  await browser?.close();
  await world?.close();
});

/** A finished run of iris with two rounds. */
async function trained(): Promise<string> {
  const plan = { rounds: 2, minParticipants: 2, overSelection: 1, quorum: 1 };
  const { id } = await world.coordinator.runs.create('iris', plan, true);
  const finished = new Promise<void>((resolve) => {
    world.coordinator.runs.subscribe({
      runChanged: (changed) => {
        if (changed === id && world.coordinator.runs.get(changed).status === 'finished') resolve();
      },
      participantsChanged: () => {},
      roundChanged: () => {},
    });
  });
  const sessions = await headless(world.url, id, { count: 2, examples: 30, task: 'iris' });
  await finished;
  for (const session of sessions) session.close();
  return id;
}

async function signIn(page: Page): Promise<void> {
  await page.goto(`${world.url}/admin?key=${ADMIN_KEY}`);
  await page.getByTestId('launch').waitFor();
}

async function policyApi(method: 'GET' | 'PUT', body?: unknown): Promise<PolicyInfo> {
  const answer = await fetch(`${world.url}/api/tasks/iris/policy`, {
    method,
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect(answer.status).toBe(200);
  return (await answer.json()) as PolicyInfo;
}

/** Saves a policy with every part, where the last one is another. */
async function havePolicy(): Promise<void> {
  const { version, policy } = await policyApi('GET');
  if (JSON.stringify(policy) !== JSON.stringify(wholePolicy))
    await policyApi('PUT', { expected: version, policy: wholePolicy });
}

const violations = async (page: Page) => (await new AxeBuilder({ page }).analyze()).violations;

it('sets a policy up by its form, which refuses at the field, and loses no changes to another admin', async () => {
  const { page, context, problems } = await person(browser);
  await signIn(page);
  await page.getByTestId('monitoring').click();
  await page.getByTestId('monitoring-iris').click();
  const link = page.getByTestId('policy-link');
  await link.getByText('Set up monitoring').waitFor();
  await link.click();
  const form = page.getByTestId('policy-form');
  await form.waitFor();
  // Nothing is asked of devices before an admin says so.
  expect(await page.getByTestId('policy-watch-threshold').count()).toBe(0);
  await page.getByTestId('policy-on-watch').check();
  await page.getByTestId('policy-on-trigger').check();
  await page.getByTestId('policy-period').fill('6');
  await page.getByTestId('policy-unit').selectOption('hour');
  await page.getByTestId('policy-watch-fewest').fill('1');
  expect(await form.textContent()).toContain('From 2 to 10,000.');
  await page.getByTestId('policy-watch-fewest').fill('8');
  // The meaning of the data changes: older examples are left out, with their number.
  await page.getByTestId('policy-on-gate-older').uncheck();
  expect(await page.getByTestId('policy-gate-older').count()).toBe(0);
  expect(await form.textContent()).toContain('better on recent examples, and no worse on any class');
  expect(await form.textContent()).not.toContain('no worse on older ones');
  await page.getByTestId('policy-trigger-budget-rounds').fill('5');
  // The plan of iris has more rounds than that: a budget that no retraining fits.
  expect(await form.textContent()).toMatch(/One retraining takes \d+ rounds/);
  await page.getByTestId('policy-save').click();
  expect(
    await page.getByTestId('policy-trigger-budget-rounds').evaluate((e) => e === document.activeElement),
  ).toBe(true);
  expect((await policyApi('GET')).version).toBeNull();
  await page.getByTestId('policy-plan').locator('summary').click();
  await page.getByTestId('plan-rounds').fill('4');
  await page.getByTestId('policy-trigger-schedule').fill('0 0 31 2 *');
  expect(await form.textContent()).toContain('There is no such day.');
  await page.getByTestId('policy-trigger-schedule').fill('0 3 * * 1');
  expect(await violations(page)).toEqual([]);
  await page.getByTestId('policy-save').click();
  await page.getByText('Saved as version 1.').waitFor();
  const saved = await policyApi('GET');
  expect(saved.policy).toMatchObject({
    periodMilliseconds: 6 * 3_600_000,
    watch: { threshold: 0.1, every: 100, fewest: 8, minimum: 10 },
    privacy: null,
    trigger: { schedule: '0 3 * * 1', budget: { rounds: 5, bytes: null } },
    plan: { rounds: 4 },
    gate: { alpha: 0.05, older: null },
    canary: { share: 0.1 },
  });

  // Another admin saves meanwhile: nothing of theirs is overwritten unseen.
  await policyApi('PUT', { expected: 1, policy: wholePolicy });
  await page.getByTestId('policy-on-gate-older').check();
  await page.getByTestId('policy-gate-older').fill('3');
  await page.getByTestId('policy-save').click();
  const conflict = page.getByTestId('policy-conflict');
  await conflict.waitFor();
  expect(await conflict.textContent()).toContain('Version 2 was saved in the meantime');
  expect(await page.getByTestId('policy-gate-older').inputValue()).toBe('3');
  expect((await policyApi('GET')).version).toBe(2);
  await page.getByTestId('policy-load').click();
  await page.getByText('Version 2, saved').waitFor();
  expect(await page.getByTestId('policy-period').inputValue()).toBe('1');
  expect(await page.getByTestId('policy-gate-older').inputValue()).toBe('2');

  // A refusal that only the coordinator knows stands at its field.
  await page.route('**/api/tasks/iris/policy', async (route) => {
    if (route.request().method() !== 'PUT') return route.continue();
    await route.fulfill({
      status: 422,
      json: {
        error: {
          code: 'policy-invalid',
          message:
            'The policy was not saved (rule-never, gate.alpha): No candidate is better with certainty.',
        },
      },
    });
  });
  await page.getByTestId('policy-save').click();
  await page.getByTestId('policy-refused').waitFor();
  expect(await page.getByTestId('policy-gate-alpha').getAttribute('aria-invalid')).toBe('true');
  expect(problems.filter((problem) => !/409|422/.test(problem))).toEqual([]);
  await context.close();
});

it('shows drift over time, the worst first, with its meaning and what came of it', async () => {
  await havePolicy();
  const { page, context, problems } = await person(browser);
  await signIn(page);
  await page.goto(`${world.url}/admin#monitoring=iris`);
  const period = page.getByTestId('period');
  await period.getByText('Period 364').waitFor();
  expect(await page.getByTestId('drift-verdict').textContent()).toContain('No drift in 6 distributions');
  const chart = page.getByTestId('drift-chart');
  expect(await chart.textContent()).toContain('1 period with an alarm out of 35');
  await chart.getByRole('button', { name: 'Table' }).click();
  expect(await chart.locator('tbody tr').count()).toBe(36);
  await chart.getByRole('button', { name: 'Table' }).click();
  // Nothing is before these, which the page finds out when it is asked.
  const earlier = page.getByRole('button', { name: 'Show earlier periods' });
  await earlier.click();
  await earlier.waitFor({ state: 'detached' });

  // Broken data stand apart from drift.
  await page.getByTestId('period-363').click();
  await period.getByText('Period 363').waitFor();
  expect(await page.getByTestId('quality-verdict').textContent()).toContain('1 alarm in 4 tests');
  const broken = page.getByTestId('quality').locator('tbody tr').first();
  expect(await broken.textContent()).toMatch(/Petal width.*Missing values.*1\.0%.*34\.0%.*Alarm/);

  await page.getByTestId('period-362').click();
  await period.getByText('Period 362').waitFor();
  expect(await page.getByTestId('drift-verdict').textContent()).toContain(
    'Drift in 2 of 6 distributions 2 were not tested',
  );
  const distributions = page.getByTestId('distribution');
  expect(await distributions.count()).toBe(6);
  const alarms = await distributions.evaluateAll((all) =>
    all.map((one) => /Alarm/.test(one.textContent ?? '')),
  );
  expect(alarms).toEqual([true, true, false, false, false, false]);
  // The worst is open: its reference beside it, as a chart and as a table.
  await distributions.first().getByRole('button', { name: 'Table' }).click();
  expect(await distributions.first().locator('tbody tr').count()).toBe(10);
  expect(await distributions.first().locator('dl').textContent()).toMatch(
    /At the releasemean \d\.1, standard deviation 0\.4/,
  );
  const predictions = distributions.filter({ hasText: 'Predictions' });
  await predictions.locator('summary').first().click();
  const atRelease = predictions.getByTestId('labels-at-release');
  await atRelease.getByRole('button', { name: 'Table' }).click();
  expect(await atRelease.locator('tbody tr').last().textContent()).toBe('setosa50.0%33.0%');
  // Labels and predictions are two things of one time: nothing grew or shrank.
  expect(await atRelease.textContent()).toContain(
    'Largest difference: setosa (Labels 50.0%, Predictions 33.0%).',
  );
  expect(await atRelease.textContent()).not.toContain('increase');
  await page.getByTestId('meaning').locator('summary').click();
  expect(await page.getByTestId('meaning').textContent()).toContain('one period in 100 has an alarm');
  expect(await page.getByTestId('meaning').textContent()).toContain('alarms in 2 periods in a row start');
  expect(await period.textContent()).toContain('Led to retraining 3');
  expect(await violations(page)).toEqual([]);

  // A link opens the same period.
  expect(page.url()).toContain('#monitoring=iris&period=362');
  expect(problems).toEqual([]);
  await context.close();
});

it('names no class before it knows the task', async () => {
  await havePolicy();
  const { page, context, problems } = await person(browser);
  const known = Promise.withResolvers<void>();
  await page.route('**/api/tasks', async (route) => {
    await known.promise;
    await route.continue();
  });
  await signIn(page);
  await page.goto(`${world.url}/admin#monitoring=iris&period=362`);
  await page.getByTestId('drift-chart').waitFor();
  await page.getByTestId('firing-1').waitFor();
  expect(await page.getByTestId('period').count()).toBe(0);
  expect(await page.getByText('No worse on').count()).toBe(0);
  known.resolve();
  await page.getByTestId('period').getByText('Period 362').waitFor();
  await page.getByText('No worse on “setosa”').first().waitFor();
  expect(problems).toEqual([]);
  await context.close();
});

it('shows each retraining with its evidence, and starts one by hand', async () => {
  await havePolicy();
  const { page, context, problems } = await person(browser);
  await signIn(page);
  await page.goto(`${world.url}/admin#monitoring=iris`);
  const released = page.getByTestId('firing-3');
  await released.waitFor();
  expect(await page.getByTestId('firing-state-3').textContent()).toBe('Released');
  expect(await released.textContent()).toContain('Drift in 2 periods in a row · Mean error above 21.0%');
  expect(await released.getByTestId('canary').textContent()).toMatch(
    /Tested at 31%, 64%, 100%.*Mean error.*Better/,
  );
  const refused = page.getByTestId('firing-2').getByTestId('comparison');
  const rows = await refused.locator('tbody tr').allTextContents();
  expect(rows[0]).toBe('Better on recent examplesFailed-0.4%at least -2.1%above 0.0%');
  expect(rows[3]).toContain('setosa');
  expect(rows[6]).toContain('Too few devices');
  const silent = page.getByTestId('firing-1').getByTestId('fewer');
  expect(await silent.textContent()).toMatch(
    /^Fewer devices .* chance explains: 78 against 126 in .*\(p = 0\.00049; promotion requires p ≥ 0\.005\)/,
  );
  expect(await page.getByTestId('limits').textContent()).toContain('40 of 200');

  await page.getByTestId('fire').click();
  const dialog = page.getByRole('dialog');
  expect(await dialog.textContent()).toContain(`A run starts from ${run}/1`);
  await dialog.getByTestId('confirm').click();
  const started = page.getByTestId('firing-4');
  await started.waitFor();
  expect(await started.textContent()).toContain('Started by hand');
  await page.getByText('Retraining is in progress.').waitFor();
  expect(await page.getByTestId('fire').isDisabled()).toBe(true);
  expect(problems).toEqual([]);
  await context.close();
});

it('moves and empties the candidate by hand, and says which devices can report', async () => {
  const { page, context, problems } = await person(browser);
  await signIn(page);
  await page.goto(`${world.url}/admin#run=${run}`);
  const card = page.getByTestId('channel-candidate');
  await page.getByTestId('move-candidate').click();
  await page.getByTestId('move-to-candidate').selectOption(`${run}/2`);
  await page.getByTestId('release-reason').fill('To be looked at.');
  await page.getByTestId('confirm').click();
  await card.getByText(`${run}/2`).waitFor();
  await page.getByTestId('empty-candidate').click();
  await page.getByTestId('release-reason').fill('Looked at.');
  await page.getByTestId('confirm').click();
  await card.getByText('No checkpoint.').waitFor();
  expect((await world.coordinator.releases.at('iris', 'candidate'))?.checkpoint).toBeNull();

  await page.goto(`${world.url}/admin#monitoring=iris`);
  await page.getByTestId('admission-invited').click();
  await page.getByTestId('confirm').click();
  await page.getByTestId('invite-participants').click();
  const code = page.getByTestId('invitation-link');
  await code.waitFor();
  expect(await code.textContent()).not.toContain('http');
  expect(await page.getByTestId('invitations').locator('tbody tr').count()).toBe(1);
  expect(problems).toEqual([]);
  await context.close();
});

it('is in Chinese, in the dark and on a phone without any English', async () => {
  const { page, context } = await person(browser, {
    locale: 'zh-CN',
    colorScheme: 'dark',
    viewport: { width: 390, height: 844 },
  });
  await signIn(page);
  for (const [hash, shown] of [
    ['#monitoring', 'monitoring-iris'],
    ['#monitoring=iris&period=362', 'firing-1'],
    ['#policy=iris', 'policy-form'],
  ] as const) {
    await page.goto(`${world.url}/admin${hash}`);
    await page.getByTestId(shown).waitFor();
    if (hash.includes('period')) await page.getByTestId('period').waitFor();
    for (const text of await page
      .locator('main :is(p, th, dt, h1, h2, h3, h4, label, legend, button)')
      .allTextContents())
      expect(text.replaceAll(/admin key|Sepal \w+|Petal \w+/g, '')).not.toMatch(english);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
    expect(await violations(page)).toEqual([]);
  }
  await context.close();
});

it('holds an earlier period against the reference of its release, once there is another', async () => {
  await havePolicy();
  const { releases } = world.coordinator;
  const expected = (await releases.at('iris', 'production'))?.sequence ?? null;
  await releases.move('iris', 'production', {
    checkpoint: `${run}/2`,
    expected,
    reason: 'The second one.',
    by: { by: 'admin', name: 'Ada' },
  });
  await expect.poll(async () => (await world.coordinator.monitored.info('iris')).state).toBe('reference');
  const { page, context, problems } = await person(browser);
  await signIn(page);
  await page.goto(`${world.url}/admin#monitoring=iris&period=362`);
  const first = page.getByTestId('distribution').first();
  await first.getByText('At the release').waitFor();
  expect(await first.locator('dl').textContent()).toMatch(/mean \d\.1, standard deviation 0\.4/);
  expect(await first.textContent()).not.toContain('Edges of the bins');
  expect(problems).toEqual([]);
  await context.close();
});
