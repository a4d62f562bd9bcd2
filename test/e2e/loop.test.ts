import type { Policy } from '@coppice/continuity';
import type { Firing, PolicyInfo, Release, WatchedPeriod, WatchInfo } from '@coppice/protocol';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
import { accepted, addPictures, consentAndStart, dataCount, draw } from './client-page.ts';
import { connectDevices, type Devices } from './devices.ts';
import { digitFiles, strokes } from './pictures.ts';
import { ADMIN_KEY, startWorld, type World } from './world.ts';

/* The whole way of a model in use: digits of another style come, reports tell, a run trains, the candidate is compared and tried, and pages get it. */
const TASK = 'mnist-2nn';
const DEVICES = 14;
const PATIENCE = { timeout: 180_000 };

let world: World;
let browser: Browser;
let devices: Devices;

beforeAll(async () => {
  world = await startWorld();
  browser = await launchBrowser();
  devices = await connectDevices(world.url, DEVICES);
});
afterAll(async () => {
  devices?.close();
  await browser?.close();
  await world?.close();
});

async function call<T>(
  path: string,
  { method = 'GET', body }: { method?: string; body?: object } = {},
): Promise<T> {
  const response = await fetch(`${world.url}/api/tasks/${TASK}/${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as T & { error?: { message: string } };
  if (!response.ok) throw new Error(`${path}: ${answer.error?.message}`);
  return answer;
}

const policy: Policy = {
  version: 1,
  periodMilliseconds: 3000,
  watch: { kind: 'watch', threshold: 0.1, every: 100, fewest: 3, minimum: 3 },
  privacy: null,
  trigger: {
    kind: 'trigger',
    drift: { raise: 1, clear: 1 },
    schedule: null,
    newExamples: null,
    floor: null,
    coolDown: 1,
    budget: { periods: 1000, rounds: 1000, bytes: null, deviceSeconds: null, epsilon: null },
  },
  plan: { rounds: 20, epochs: 2, learningRate: 0.2, overSelection: 1, minParticipants: 5 },
  gate: { kind: 'gate', alpha: 0.05, older: 0.2, worst: 0.5, fewest: 5 },
  // Arms are drawn: at this level only an empty one has too few participants.
  canary: {
    kind: 'canary',
    alpha: 0.2,
    silence: 0.001,
    participants: 10,
    margin: 0.3,
    periods: 20,
    share: 0.5,
  },
};

async function save(next: Policy): Promise<void> {
  const { version } = await call<PolicyInfo>('policy');
  await call('policy', { method: 'PUT', body: { expected: version, policy: next } });
}

const firings = () => call<Firing[]>('firings');
const periods = () => call<WatchedPeriod[]>('drift');

it('notices digits of another style, trains with them, and brings the better model to an open page', async () => {
  const run = await world.coordinator.runs.create(
    TASK,
    { rounds: 20, epochs: 2, learningRate: 0.2, overSelection: 1, minParticipants: 5 },
    false,
  );
  const someone = await person(browser);
  const { page } = someone;
  await page.goto(`${world.url}/?run=${run.id}`);
  await addPictures(page, 1, await digitFiles(1, 12));
  await consentAndStart(page);
  await page.getByTestId('later-runs').click();
  for (const session of devices.sessions) await session.join(run.id);
  await world.coordinator.runs.act(run.id, 'start');
  await expect.poll(() => world.coordinator.runs.get(run.id).status, PATIENCE).toBe('finished');
  await call<Release>('releases', {
    method: 'POST',
    body: { channel: 'production', checkpoint: `${run.id}/20`, expected: null, reason: 'The first one.' },
  });
  await save(policy);

  await page.getByTestId('monitoring-consent').click();
  await page.getByTestId('monitoring-keep').click();
  const { consent } = await call<WatchInfo>('watch');
  await devices.use(consent as string);
  await expect.poll(async () => (await call<WatchInfo>('watch')).state, PATIENCE).toBe('reports');
  await page.waitForFunction(
    () =>
      document.querySelector('[data-testid="monitoring-state"]')?.getAttribute('data-state') === 'reports',
    undefined,
    PATIENCE,
  );

  // A one, and one that lies on its side.
  const upright = strokes[1] as (readonly [number, number])[];
  const lying = upright.map(([x, y]) => [1 - y, x] as const);
  const released = page.getByTestId('prediction-released');
  const drawn = async (line: readonly (readonly [number, number])[]) => {
    await page.getByTestId('predict-clear').click();
    // The last answer goes with the drawing.
    await expect.poll(() => released.count(), PATIENCE).toBe(0);
    await draw(page, 'predict-canvas', line);
    await expect.poll(() => released.textContent(), PATIENCE).toMatch(/^\d$/);
    return released.textContent();
  };
  expect(await drawn(upright)).toBe('1');
  await page.getByTestId('is-right').click();
  await page.getByTestId('corrected').waitFor();
  expect((await periods()).some(({ verdict }) => verdict?.drift.alarm)).toBe(false);

  devices.turn();
  for (let i = 0; i < 3; i++) {
    expect(await drawn(lying)).not.toBe('1');
    await page.getByTestId('right-class').selectOption('1');
    await page.getByTestId('save-right').click();
    await page.getByTestId('corrected').waitFor();
  }
  await page.getByTestId('predict-clear').click();
  await drawn(lying);

  // The admin sees it.
  const admin = await person(browser);
  await admin.page.goto(`${world.url}/admin?key=${ADMIN_KEY}`);
  await admin.page.getByTestId('launch').waitFor();
  await admin.page.goto(`${world.url}/admin#monitoring=${TASK}`);
  await admin.page
    .getByTestId('drift')
    .getByText(/^\d+ alarms?$/)
    .first()
    .waitFor(PATIENCE);
  await admin.context.close();

  const last = async () => (await firings())[0] ?? null;
  await expect.poll(async () => (await last())?.outcome ?? null, PATIENCE).toBe('released');
  const firing = (await last()) as Firing;
  // The open page took part in its run, as the person agreed to, with the drawings that were corrected.
  expect(await accepted(page)).toBeGreaterThan(20);
  expect(await dataCount(page)).toBe(12 + 4);
  expect(firing.causes).toContainEqual(expect.objectContaining({ cause: 'drift' }));
  expect(firing.comparison?.decision).toBe('accept');
  expect(firing.canary?.decision).toBe('promote');
  // Without a reload, for the drawing that is still there.
  await expect.poll(() => released.textContent(), PATIENCE).toBe('1');
  expect(await page.locator('#use').textContent()).toContain(firing.candidate as string);

  // One that is no better is refused by the comparison.
  const fired = async (whenTrained = () => {}): Promise<Firing> => {
    const before = (await last())?.sequence ?? 0;
    await call('firings', { method: 'POST', body: {} });
    await expect.poll(async () => (await last())?.sequence, PATIENCE).toBe(before + 1);
    const isTrained = async () => !['launching', 'training'].includes((await last())?.state ?? 'launching');
    await expect.poll(isTrained, PATIENCE).toBe(true);
    whenTrained();
    await expect.poll(async () => (await last())?.state, PATIENCE).toBe('ended');
    return (await last()) as Firing;
  };
  await expect.poll(async () => (await call<WatchInfo>('watch')).state, PATIENCE).toBe('reports');
  const byHand = { ...policy, trigger: null };
  await save({ ...byHand, plan: { ...policy.plan, rounds: 1, learningRate: 1e-6 } });
  const refused = await fired();
  expect([refused.outcome, refused.comparison?.decision]).toEqual(['refused', 'refuse']);
  // One that slips past, since nothing compares it, is worse in the canary.
  await save({ ...byHand, gate: null });
  devices.mislabel(true);
  const back = await fired(() => devices.mislabel(false));
  expect([back.outcome, back.canary?.decision]).toEqual(['rolled-back', 'roll-back']);
  await expect.poll(() => page.locator('#use').textContent(), PATIENCE).toContain(firing.candidate as string);
  expect(await released.textContent()).toBe('1');
  expect(someone.problems).toEqual([]);
}, 600_000);
