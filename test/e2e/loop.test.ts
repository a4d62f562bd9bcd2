import type { Policy } from '@coppice/continuity';
import type { Firing, PolicyInfo, Release, WatchedPeriod, WatchInfo } from '@coppice/protocol';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
import { draw } from './client-page.ts';
import { connectDevices, type Devices } from './devices.ts';
import { strokes } from './pictures.ts';
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
  watch: { kind: 'watch', threshold: 0.1, every: 100, fewest: 5, minimum: 3 },
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
  plan: { rounds: 8, epochs: 2, learningRate: 0.1, overSelection: 1, minParticipants: 5 },
  gate: { kind: 'gate', alpha: 0.05, older: 0.2, worst: 0.5, fewest: 5 },
  canary: { kind: 'canary', alpha: 0.2, participants: 10, margin: 0.3, periods: 20, share: 0.5 },
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
    { rounds: 8, epochs: 2, learningRate: 0.1, overSelection: 1, minParticipants: 5 },
    false,
  );
  for (const session of devices.sessions) await session.join(run.id);
  await world.coordinator.runs.act(run.id, 'start');
  await expect.poll(() => world.coordinator.runs.get(run.id).status, PATIENCE).toBe('finished');
  await call<Release>('releases', {
    method: 'POST',
    body: { channel: 'production', checkpoint: `${run.id}/8`, expected: null, reason: 'The first one.' },
  });
  await save(policy);

  const someone = await person(browser);
  const { page } = someone;
  await page.goto(`${world.url}/?run=${run.id}`);
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

  // A seven, and one that lies on its side.
  const seven = strokes[7] as (readonly [number, number])[];
  const lying = seven.map(([x, y]) => [1 - y, x] as const);
  const released = page.getByTestId('prediction-released');
  const drawn = async (line: readonly (readonly [number, number])[]) => {
    await page.getByTestId('predict-clear').click();
    await draw(page, 'predict-canvas', line);
    await expect.poll(() => released.textContent(), PATIENCE).toMatch(/^\d$/);
    return released.textContent();
  };
  expect(await drawn(seven)).toBe('7');
  await page.getByTestId('is-right').click();
  await page.getByTestId('corrected').waitFor();
  expect((await periods()).some(({ verdict }) => verdict?.drift.alarm)).toBe(false);

  devices.turn();
  for (let i = 0; i < 3; i++) {
    expect(await drawn(lying)).not.toBe('7');
    await page.getByTestId('right-class').selectOption('7');
    await page.getByTestId('save-right').click();
    await page.getByTestId('corrected').waitFor();
  }
  await page.getByTestId('predict-clear').click();
  await drawn(lying);

  const last = async () => (await firings())[0] ?? null;
  await expect.poll(async () => (await last())?.outcome ?? null, PATIENCE).toBe('released');
  const firing = (await last()) as Firing;
  expect(firing.causes).toContainEqual(expect.objectContaining({ cause: 'drift' }));
  expect(firing.comparison?.decision).toBe('accept');
  expect(firing.canary?.decision).toBe('promote');
  // Without a reload, for the drawing that is still there.
  await expect.poll(() => released.textContent(), PATIENCE).toBe('7');
  expect(await page.locator('#use').textContent()).toContain(firing.candidate as string);
  expect(someone.problems).toEqual([]);
}, 600_000);
