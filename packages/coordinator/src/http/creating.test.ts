import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builtInTask } from '@coppice/datasets';
import type { NewAdminInvitation, Run, TaskInfo } from '@coppice/protocol';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Coordinator, startCoordinator } from '../coordinator.ts';

const KEY = 'a-key-for-tests';
const folder = mkdtempSync(join(tmpdir(), 'coppice-creating-'));
let coordinator: Coordinator;

beforeAll(async () => {
  coordinator = await startCoordinator({
    config: {
      port: 0,
      adminKey: KEY,
      logLevel: 'silent',
      dataDir: join(folder, 'data'),
      requestsPerMinute: 100_000,
    },
    flush: false,
  });
});
afterAll(async () => {
  await coordinator.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Answer<T = { id: string }> {
  readonly status: number;
  readonly body: T & { readonly error?: { readonly code: string } };
}

async function post<T = { id: string }>(path: string, body: unknown): Promise<Answer<T>> {
  const response = await fetch(`${coordinator.url}/api${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Answer<T>['body'] };
}

const { data, model } = builtInTask('regression') ?? {};
/** Names are of this test run's own: what one run of the property made is there in the next. */
let turn = 0;

/** Each route that gives out names: a request of it, drawn anew for each of those sent at once. */
const requests = {
  runs: fc.record({
    task: fc.constantFrom('iris', 'regression'),
    start: fc.boolean(),
    admission: fc.constantFrom('open', 'invited', 'listed'),
    plan: fc.record({ seed: fc.nat(3) }),
  }),
  tasks: fc.record({ id: fc.constantFrom('a', 'b'), title: fc.constantFrom('one', 'two', 'three') }),
  tokens: fc.record({
    name: fc.constantFrom('same', 'other'),
    scopes: fc.constant(['runs:read']),
    days: fc.constant(null),
  }),
  'admin-invitations': fc.record({ role: fc.constantFrom('viewer', 'owner') }),
  bans: fc.record({ participant: fc.constantFrom('a'.repeat(32), 'b'.repeat(32)), run: fc.constant(null) }),
  accepts: fc.record({ name: fc.constantFrom('Kim', 'kim', 'Lee') }),
};

const batch = fc.record(
  Object.fromEntries(
    Object.entries(requests).map(([route, one]) => [
      route,
      fc.array(one as fc.Arbitrary<unknown>, { minLength: 2, maxLength: 4 }),
    ]),
  ) as { [R in keyof typeof requests]: fc.Arbitrary<{ [field: string]: unknown }[]> },
);

const codesOf = (answers: readonly Answer<unknown>[]) =>
  answers.map(({ status, body }) => (status === 201 ? 'made' : String(body.error?.code)));

it('gives each name out once, however many ask at the same moment', { timeout: 120_000 }, async () => {
  const given = new Set<string>();
  await fc.assert(
    fc.asyncProperty(batch, async (asked) => {
      const at = turn++;
      const codes = await Promise.all(
        asked.accepts.map(() => post<NewAdminInvitation>('/admin-invitations', { role: 'viewer' })),
      );
      const taskOf = ({ id, title }: { [field: string]: unknown }) => ({
        id: `${id}-${at}`,
        title: { en: title },
        description: { en: 'Made at once with others.' },
        data,
        model,
      });
      const [runs, tasks, tokens, invitations, bans, accepts] = await Promise.all([
        Promise.all(asked.runs.map((body) => post<Run>('/runs', body))),
        Promise.all(asked.tasks.map((body) => post<TaskInfo>('/tasks', taskOf(body)))),
        Promise.all(asked.tokens.map((body) => post('/tokens', body))),
        Promise.all(asked['admin-invitations'].map((body) => post('/admin-invitations', body))),
        Promise.all(asked.bans.map((body) => post('/bans', body))),
        Promise.all(
          asked.accepts.map(({ name }, i) =>
            post('/admin-invitations/accept', {
              code: codes[i]?.body.code,
              name: `${name} ${at}`,
              password: 'a long enough password',
            }),
          ),
        ),
      ]);

      // Runs: each is the one that was asked for, and nobody else's.
      expect(codesOf(runs)).toEqual(asked.runs.map(() => 'made'));
      for (const [i, { body }] of runs.entries()) {
        const { task, admission, plan } = asked.runs[i] ?? {};
        expect(body).toMatchObject({ task, admission, plan });
        expect(coordinator.runs.get(body.id).admission).toBe(body.admission);
      }
      // Tasks: of those with one id the first is made, and stays as it was asked for.
      const winners = new Map<string, TaskInfo>();
      for (const [i, { status, body }] of tasks.entries()) {
        if (status !== 201) continue;
        expect(body.title.en).toBe(asked.tasks[i]?.title);
        expect(winners.has(body.id)).toBe(false);
        winners.set(body.id, body);
      }
      expect(winners.size).toBe(new Set(asked.tasks.map(({ id }) => id)).size);
      expect(codesOf(tasks).filter((code) => code !== 'made')).toEqual(
        Array(tasks.length - winners.size).fill('task-exists'),
      );
      for (const { status, body } of tasks)
        if (status !== 201) expect([status, body.error?.code]).toEqual([409, 'task-exists']);
      const stored = await coordinator.storage.tasks();
      for (const [id, { title }] of winners)
        expect(stored.find((task) => task.id === id)?.title).toEqual(title);
      // Accounts: a name is one admin's.
      const names = new Set(asked.accepts.map(({ name }) => String(name).toLowerCase()));
      expect(codesOf(accepts).filter((code) => code === 'made')).toHaveLength(names.size);
      expect(codesOf(accepts).filter((code) => code !== 'made')).toEqual(
        Array(accepts.length - names.size).fill('admin-name-taken'),
      );
      // Bans are by participant: a second one is the first.
      expect(codesOf(bans)).toEqual(bans.map(() => 'made'));
      for (const [i, { body }] of bans.entries())
        expect(bans.filter((other) => other.body.id === body.id).map((other) => bans.indexOf(other))).toEqual(
          asked.bans.flatMap(({ participant }, j) => (participant === asked.bans[i]?.participant ? [j] : [])),
        );
      // Ids that were drawn.
      for (const { status, body } of [...runs, ...tokens, ...invitations] as Answer[]) {
        expect(status).toBe(201);
        expect(given.has(body.id)).toBe(false);
        given.add(body.id);
      }
      expect((await coordinator.storage.admissions()).map(({ run }) => run).sort()).toEqual(
        (await coordinator.storage.runs()).map(({ id }) => id).sort(),
      );
    }),
    { numRuns: 12, seed: 7 },
  );
});

const caseOf = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../../../test/cases/models/${name}.json`, import.meta.url), 'utf8'));

it('takes a model with one sigmoid unit for two classes, by a loss and measures that fit', async () => {
  const { status } = await post('/tasks', caseOf('sigmoid-binary'));
  expect(status).toBe(201);
  const answer = await fetch(`${coordinator.url}/api/tasks/sigmoid-binary`);
  const task = (await answer.json()) as TaskInfo & { model: unknown };
  expect(task).toMatchObject({
    loss: 'binaryCrossentropy',
    metrics: ['auroc', 'prAuc', 'recall', 'f1'],
  });
});

it('takes the loss, weights and measures that a task states, and refuses by name those that do not fit', async () => {
  const base = { ...caseOf('sigmoid-binary'), loss: 'binaryCrossentropy' };
  const stated = { classWeights: [1, 4], metrics: ['precision'], threshold: 0.2 };
  expect((await post('/tasks', { ...base, id: 'stated', ...stated })).status).toBe(201);
  const info = await fetch(`${coordinator.url}/api/tasks/stated`);
  expect(await info.json()).toMatchObject({ loss: 'binaryCrossentropy', ...stated });
  for (const [field, wrong] of Object.entries({
    classWeights: { classWeights: [1, 2, 3] },
    loss: { loss: 'huber' },
    huberDelta: { huberDelta: 2 },
    metrics: { metrics: ['rmse'] },
  })) {
    const { status, body } = await post<{ id: string }>('/tasks', { ...base, id: 'wrong', ...wrong });
    expect(status).toBe(422);
    expect(body.error).toMatchObject({ code: 'task-invalid', message: expect.stringContaining(field) });
  }
  // Two outputs are no single probability.
  const soft = await post('/tasks', { ...base, id: 'soft', loss: 'categoricalCrossentropy' });
  expect(soft.body.error).toMatchObject({ code: 'model-invalid' });
});
