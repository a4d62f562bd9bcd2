import { defaultWatch, type Policy } from '@coppice/continuity';
import { type Coordinator, memorySpool, memoryStorage, startCoordinator } from '@coppice/coordinator';
import type { Session } from '@coppice/participant';
import { createHeadlessParticipant, trainerHost } from '@coppice/participant/node';
import { integerBelow, ManualClock, seededRandom, uniform } from '@coppice/ports';
import { defaultPlan, type Task, type WatchedPeriod, weightsHash } from '@coppice/protocol';
import { createTrainer } from '@coppice/training';
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest';

/* A task that declares groups, from its creation to the verdict on each group, with real participants. */

const HOUR = 3_600_000;
const EPOCH = 1_760_000_000_000;
const DEVICES = 16;
const by = { by: 'admin', name: 'a test' } as const;
const policy: Policy = {
  version: 1,
  periodMilliseconds: HOUR,
  watch: { ...defaultWatch, fewest: 5 },
  privacy: null,
  trigger: null,
  plan: {},
  gate: { kind: 'gate', alpha: 0.1, older: null, worst: 0.3, fewest: 5 },
  canary: null,
};
const host = trainerHost(createTrainer, ['planned']);

/** What an admin states of the task. */
const stated = {
  id: 'taps',
  title: { en: 'Taps' },
  description: { en: 'Tells taps apart, on phones and on tablets.' },
  data: {
    kind: 'table',
    features: [
      { kind: 'category', name: 'device', values: ['phone', 'tablet'] },
      { name: 'force', mean: 0, scale: 1 },
    ],
    target: { kind: 'class', name: 'tap', classes: ['no', 'yes'] },
    groups: 'device',
  },
  model: {
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
  },
};

/** Says yes from a force on, on phones and on tablets. A tap is a force above 0. */
const modelOf = (phone: number, tablet: number) =>
  Float32Array.of(0, -10 * phone, 0, -10 * tablet, 0, 0, 0, 10, 0, 0);
/** Errs on a quarter of phones, and on no tablet. */
const production = modelOf(1, 0);
/** Errs on no phone, and on a quarter of tablets, of which there are fewer. */
const candidate = modelOf(0, 1);

let clock: ManualClock;
let storage: ReturnType<typeof memoryStorage>;
let spool: ReturnType<typeof memorySpool>;
let coordinator: Coordinator;
let sessions: Session[];

/** A process over what is stored. */
async function start(): Promise<void> {
  coordinator = await startCoordinator({ config: { port: 0, logLevel: 'silent' }, storage, spool, clock });
}

beforeEach(async () => {
  [clock, storage, spool, sessions] = [new ManualClock(EPOCH), memoryStorage(), memorySpool(), []];
  await start();
});
afterEach(async () => {
  for (const session of sessions) session.close();
  await coordinator.close();
});
afterAll(() => host.dispose());

const create = (task: object) =>
  fetch(`${coordinator.url}/api/tasks`, {
    method: 'POST',
    headers: { authorization: `Bearer ${coordinator.adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(task),
  });

/** Examples of a device, three of four of phones. */
function examplesOf(index: number, count: number) {
  const random = seededRandom('groups', index);
  const rows = Array.from({ length: count }, () => [
    integerBelow(random, 4) === 0 ? 1 : 0,
    4 * uniform(random) - 2,
  ]);
  return {
    count,
    features: Float32Array.from(rows.flat()),
    labels: Float32Array.from(rows, ([, force]) => ((force as number) > 0 ? 1 : 0)),
  };
}

/** Stores both models, and a firing whose run made the candidate. */
async function firing(task: Task): Promise<void> {
  for (const weights of [production, candidate]) {
    const state = { values: {}, tensors: {} };
    const run = await storage.createRun({
      run: {
        task,
        plan: defaultPlan,
        status: 'stopped',
        createdAt: EPOCH,
        endedAt: EPOCH,
        reason: null,
        from: null,
        cause: by,
      },
      admission: 'open',
      model: { weights: new Float32Array(weights.length), state, central: null },
    });
    const checkpoint = {
      hash: weightsHash(weights),
      run: run.id,
      task: task.id,
      round: 1,
      parent: null,
      createdAt: EPOCH,
      central: null,
      federated: null,
      parameters: weights.length,
    };
    await storage.commit({ run: null, round: null, model: { weights, state, checkpoint } });
  }
  await storage.moveChannel({
    task: task.id,
    channel: 'production',
    checkpoint: 'taps-1/1',
    expected: null,
    undoes: null,
    at: EPOCH,
    by,
    reason: 'The first.',
    evidence: null,
  });
  await storage.putPolicy({ task: task.id, expected: null, at: EPOCH, by, policy });
  await storage.addFiring({
    task: task.id,
    at: EPOCH,
    period: null,
    causes: [{ cause: 'by-hand' }],
    policy: 1,
    production: 'taps-1/1',
    state: 'comparing',
    run: 'taps-2',
    candidate: 'taps-2/1',
    comparison: null,
    canary: null,
    outcome: null,
    endedAt: null,
    release: null,
    spent: { rounds: null, bytes: null, deviceSeconds: null, epsilon: null },
    rules: policy,
    secret: 'a secret of the firing',
    basis: { sequence: 1, hash: weightsHash(production) },
    since: EPOCH,
    isNamed: false,
    hash: weightsHash(candidate),
    comparisons: 0,
    looked: -1,
    canarySince: null,
    waitsSince: null,
    ending: null,
  });
}

/** Waits until the answers to this many questions of a kind are on disk. */
let answered: string[];
const haveAnswered = (kind: string, times = 1) =>
  expect
    .poll(() => answered.filter((owner) => owner === `${kind}.taps`).length, { timeout: 20_000 })
    .toBe(times * DEVICES);

it('refuses a task whose groups are no column of categories', async () => {
  for (const groups of ['colour', 'force', 'tap']) {
    const response = await create({ ...stated, data: { ...stated.data, groups } });
    expect(response.status).toBe(422);
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    expect(error.code).toBe('task-invalid');
    expect(error.message).toContain(`"${groups}"`);
  }
});

it('tells errors by group, and refuses a candidate that is better on the whole and worse for one', async () => {
  expect((await create(stated)).status).toBe(201);
  const task = coordinator.tasks.get('taps');
  await coordinator.close();
  await firing(task);
  answered = [];
  const append = spool.append.bind(spool);
  spool.append = async (owner, answer) => {
    await append(owner, answer);
    answered.push(owner);
  };
  await start();
  const { consent } = await coordinator.monitored.info('taps');
  sessions = Array.from({ length: DEVICES }, (_, i) =>
    createHeadlessParticipant({
      url: coordinator.url,
      identity: `groups/${i}`,
      examples: examplesOf(i, 120),
      heldOut: 0.5,
      host,
      backend: 'planned',
    }),
  );
  for (const session of sessions) session.connect();
  for (const session of sessions) await session.monitor('taps', { consent: consent as string });

  await haveAnswered('compare');
  await haveAnswered('statistics');
  clock.advance(HOUR / 6);
  await expect.poll(async () => (await coordinator.firings.page('taps', {}))[0]?.state).toBe('ended');
  const [ended] = await coordinator.firings.page('taps', {});
  expect(ended).toMatchObject({
    outcome: 'refused',
    comparison: { participants: DEVICES, decision: 'refuse' },
  });
  const reasons = (ended?.comparison?.reasons ?? []) as { check: string; outcome: string; index?: number }[];
  expect(reasons).toContainEqual(expect.objectContaining({ check: 'recent', outcome: 'passed' }));
  expect(reasons.filter(({ outcome }) => outcome === 'failed')).toMatchObject([{ check: 'group', index: 1 }]);
  // Nobody has a device that the task does not list.
  expect(reasons).toContainEqual(expect.objectContaining({ check: 'group', index: 2, outcome: 'unknown' }));

  await haveAnswered('statistics', 2);
  clock.advance(HOUR / 6);
  await expect.poll(() => coordinator.monitored.info('taps')).toMatchObject({ state: 'reports' });
  const wrong = [0, 0];
  for (const [i, session] of sessions.entries()) {
    await expect.poll(() => session.state.monitored['taps']?.info?.state).toBe('reports');
    // Thirty phones and ten tablets, of the forces −1.9, −1.7 … 1.9.
    for (let k = 0; k < 40; k++) {
      const [device, force] = [k < 30 ? 0 : 1, -1.9 + 0.2 * ((k + i) % 20)];
      const says = force > (device === 0 ? 1 : 0) ? 1 : 0;
      const label = force > 0 ? 1 : 0;
      wrong[device] = (wrong[device] as number) + Math.abs(says - label);
      session.observe('taps', {
        hash: weightsHash(production),
        example: Float32Array.of(device, force),
        output: says === 1 ? [0.1, 0.9] : [0.9, 0.1],
        id: `${k}`,
      });
      await session.outcome('taps', `${k}`, label);
    }
  }
  clock.advance(HOUR);
  await haveAnswered('report');
  clock.advance(HOUR);
  await expect
    .poll(async () => (await storage.periods('taps', { limit: 1 }))[0]?.verdict ?? null)
    .not.toBeNull();
  const response = await fetch(`${coordinator.url}/api/tasks/taps/drift`, {
    headers: { authorization: `Bearer ${coordinator.adminKey}` },
  });
  const periods = (await response.json()) as WatchedPeriod[];
  const { groups = [], errors } = periods.find(({ verdict }) => verdict !== null)?.verdict ?? {};
  const [phones, tablets] = wrong.map((count, device) => count / DEVICES / (device === 0 ? 30 : 10)) as [
    number,
    number,
  ];
  expect(phones).toBeGreaterThan(0.2);
  expect(tablets).toBe(0);
  expect(groups.map(({ value, participants }) => [value, participants])).toEqual([
    [0, DEVICES],
    [1, DEVICES],
  ]);
  expect(groups[0]?.rate).toBeCloseTo(phones, 5);
  expect(groups[1]?.rate).toBe(0);
  expect(errors?.rate).toBeCloseTo((3 * phones) / 4, 5);
});
