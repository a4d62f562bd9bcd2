import { identityOf, ReferenceSchema } from '@coppice/continuity';
import {
  type PeriodSummary,
  PeriodSummarySchema,
  ReleaseReferenceSchema,
  type WatchedPeriod,
} from '@coppice/protocol';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Coordinator, startCoordinator } from '../coordinator.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import { drawReference } from '../watch/report.testing.ts';

const KEY = 'a-key-for-tests';
let coordinator: Coordinator;

const shift = { p: 0.5, effective: null, participants: 9 };
const column = (name: string, effect: number, alarm = false) => ({
  ...shift,
  role: 'input' as const,
  name,
  effect,
  interval: [effect / 2, effect * 2] as [number, number],
  bound: 0.1,
  alarm,
  adjusted: 0.5,
  distance: null,
  reference: [0.5, 0.5],
  current: [0.25, 0.75],
});

/** A period whose inputs come in the order of their p-values, as those of a verdict do. */
const period = (number: number, inputs: ReturnType<typeof column>[] | null): WatchedPeriod => ({
  task: 'iris',
  period: number,
  reference: 'ab'.repeat(32),
  release: 4,
  noise: 0,
  startedAt: number * 1000,
  endedAt: number * 1000 + 1000,
  reports: 9,
  sums: inputs === null ? null : { reports: [9] },
  verdict:
    inputs === null
      ? null
      : {
          participants: 9,
          observations: 900,
          drift: {
            alarm: inputs.some(({ alarm }) => alarm),
            tested: inputs.length,
            suppressed: 1,
            results: inputs,
          },
          quality: { alarm: false, tested: 0, suppressed: 4, results: [] },
          errors: { rate: 0.25, interval: [0.125, 0.5], participants: 9, warned: 0 },
        },
});

beforeAll(async () => {
  const storage = memoryStorage();
  coordinator = await startCoordinator({
    config: { port: 0, adminKey: KEY, logLevel: 'silent' },
    storage,
    spool: memorySpool(),
  });
  for (let number = 0; number < 400; number++)
    await storage.addPeriod(period(number, [column('a', 0.01), column('b', 0.02)]));
  await storage.addPeriod(period(400, [column('a', 0.2, true), column('b', 0.3, true), column('c', 9)]));
  await storage.addPeriod(period(401, null));
  const known = { task: 'iris', checkpoint: 'iris-1/1', hash: 'cd'.repeat(32), at: 9 } as const;
  const reference = drawReference(5);
  await storage.putReference({ ...known, release: 4, binning: reference, reference }, null);
  await storage.putReference({ ...known, release: 5, binning: reference, reference: null }, null);
});
afterAll(() => coordinator.close());

async function drift(query: string) {
  const response = await fetch(`${coordinator.url}/api/tasks/iris/drift${query}`, {
    headers: { authorization: `Bearer ${KEY}` },
  });
  return { status: response.status, body: (await response.json()) as unknown };
}

const summaries = async (query: string): Promise<PeriodSummary[]> =>
  ((await drift(query)).body as unknown[]).map((one) => PeriodSummarySchema.parse(one));

it('summarises a year of periods, newest first, with the worst of each', async () => {
  const [none, alarm, quiet, ...rest] = await summaries('?summary=1');
  expect(none).toEqual({
    period: 401,
    reference: 'ab'.repeat(32),
    release: 4,
    startedAt: 401_000,
    endedAt: 402_000,
    reports: 9,
    verdict: null,
  });
  // An alarm goes before an effect that may be chance; of alarms, the largest effect.
  expect(alarm?.verdict?.drift).toEqual({
    alarm: true,
    tested: 3,
    suppressed: 1,
    alarms: 2,
    worst: { role: 'input', name: 'b', effect: 0.3, interval: [0.15, 0.6], bound: 0.1 },
  });
  expect(quiet?.verdict?.drift.worst?.name).toBe('b');
  expect(quiet?.verdict?.quality).toEqual({ alarm: false, tested: 0, suppressed: 4, alarms: 0, worst: null });
  expect(quiet?.verdict?.errors?.interval).toEqual([0.125, 0.5]);
  expect([none, alarm, quiet, ...rest].map((one) => one?.period)).toEqual(
    Array.from({ length: 366 }, (_, i) => 401 - i),
  );
});

it('goes on before a period, to the first one', async () => {
  const page = await summaries('?summary=1&before=36&limit=50');
  expect(page.map((one) => one.period)).toEqual(Array.from({ length: 36 }, (_, i) => 35 - i));
});

it('gives one period in full', async () => {
  const { body } = await drift('?before=401&limit=1');
  expect(body).toMatchObject([{ period: 400, verdict: { drift: { results: [{ name: 'a' }, {}, {}] } } }]);
});

it.each(['?summary=yes', '?limit=0', '?limit=101', '?summary=1&limit=367'])('refuses %s', async (query) => {
  expect(await drift(query)).toMatchObject({ status: 400, body: { error: { code: 'body-invalid' } } });
});

it('gives the reference of a release, by which its periods name it, and none that is not made', async () => {
  const get = async (release: string, key = KEY) => {
    const response = await fetch(`${coordinator.url}/api/tasks/iris/references/${release}`, {
      headers: { authorization: `Bearer ${key}` },
    });
    return { status: response.status, body: (await response.json()) as unknown };
  };
  const { status, body } = await get('4');
  expect(status).toBe(200);
  const { reference, ...of } = ReleaseReferenceSchema.parse(body);
  expect(of).toEqual({ task: 'iris', release: 4, checkpoint: 'iris-1/1', hash: 'cd'.repeat(32), at: 9 });
  const made = ReferenceSchema.parse(reference.binning);
  expect(made).toEqual(drawReference(5));
  expect(identityOf(made)).toBe(reference.identity);
  expect(made.labels?.spread.participants).toBe(5);
  for (const none of ['5', '6']) expect((await get(none)).status).toBe(404);
  expect((await get('0')).status).toBe(400);
  expect((await get('4', 'another-key')).status).toBe(401);
});
