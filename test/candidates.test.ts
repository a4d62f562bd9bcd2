import { defaultWatch, type Policy } from '@coppice/continuity';
import { type Coordinator, memorySpool, memoryStorage, startCoordinator } from '@coppice/coordinator';
import { builtInTask, normalise, selectExamples } from '@coppice/datasets';
import { loadTaskData } from '@coppice/datasets/node';
import { memoryData, type Session, type Transport } from '@coppice/participant';
import { createHeadlessParticipant, trainerHost } from '@coppice/participant/node';
import { integerBelow, ManualClock, seededRandom } from '@coppice/ports';
import { defaultPlan, type Task, type WatchInfo, weightsHash } from '@coppice/protocol';
import { createTrainer } from '@coppice/training';
import { afterAll, afterEach, beforeAll, expect, it, onTestFinished } from 'vitest';

/* A candidate on its way to production, with real participants: compared, then tried by some of them. */

const HOUR = 3_600_000;
const EPOCH = 1_760_000_000_000;
const DEVICES = 16;
const task = builtInTask('iris') as Task;
const policy: Policy = {
  version: 1,
  periodMilliseconds: HOUR,
  watch: { ...defaultWatch, fewest: 5 },
  privacy: null,
  trigger: null,
  plan: {},
  gate: { kind: 'gate', alpha: 0.1, older: 0.1, worst: 0.3, fewest: 5 },
  canary: { kind: 'canary', alpha: 0.05, participants: DEVICES, margin: 0.05, periods: 3, share: 0.5 },
};
const host = trainerHost(createTrainer, ['planned']);
const description = { topology: task.model, data: task.data, loss: task.loss };
let examples: Awaited<ReturnType<typeof loadTaskData>>['train'];
/** Weights of a model that learned, and of one that did not. */
let good: Float32Array;
let poor: Float32Array;

let clock: ManualClock;
let coordinator: Coordinator;
/** Starts another process over what this one stored. */
let start: () => Promise<Coordinator>;
let sessions: Session[];
/** The answers on disk, by kind of question. */
let answered: string[];

beforeAll(async () => {
  examples = (await loadTaskData('iris')).train;
  const trainer = await createTrainer(description, { backend: 'planned', seed: 3 });
  poor = (await trainer.getWeights()).slice();
  const how = {
    epochs: 60,
    batchSize: 10,
    optimizer: 'sgd',
    learningRate: 0.05,
    shuffleSeed: 'good',
  } as const;
  const { xs, ys } = normalise(examples, task.data);
  good = (await trainer.train({ count: examples.count, xs, ys }, how)).weights.slice();
  trainer.dispose();
});
afterAll(() => host.dispose());
afterEach(async () => {
  for (const session of sessions) session.close();
  await coordinator.close();
});

/** A coordinator with a firing whose run is over, and its devices, which offered answers. */
async function begun(production: Float32Array, candidate: Float32Array, rules: Policy): Promise<void> {
  clock = new ManualClock(EPOCH);
  const storage = memoryStorage();
  const models = [production, candidate];
  for (const weights of models) {
    const run = await storage.createRun({
      run: {
        task,
        plan: defaultPlan,
        status: 'stopped',
        createdAt: EPOCH,
        endedAt: EPOCH,
        reason: null,
        from: null,
        cause: { by: 'admin', name: 'a test' },
      },
      admission: 'open',
      model: { weights: new Float32Array(weights.length), state: { values: {}, tensors: {} }, central: null },
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
    await storage.commit({
      run: null,
      round: null,
      model: { weights, state: { values: {}, tensors: {} }, checkpoint },
    });
  }
  const author = { by: 'admin', name: 'a test' } as const;
  await storage.moveChannel({
    task: task.id,
    channel: 'production',
    checkpoint: 'iris-1/1',
    expected: null,
    undoes: null,
    at: EPOCH,
    by: author,
    reason: 'The first.',
    evidence: null,
  });
  await storage.putPolicy({ task: task.id, expected: null, at: EPOCH, by: author, policy: rules });
  const [basis, hash] = models.map((weights) => weightsHash(weights)) as [string, string];
  await storage.addFiring({
    task: task.id,
    at: EPOCH,
    period: null,
    causes: [{ cause: 'by-hand' }],
    policy: 1,
    production: 'iris-1/1',
    state: 'comparing',
    run: 'iris-2',
    candidate: 'iris-2/1',
    comparison: null,
    canary: null,
    outcome: null,
    endedAt: null,
    release: null,
    spent: { rounds: null, bytes: null, deviceSeconds: null, epsilon: null },
    rules,
    secret: 'a secret of the firing',
    basis: { sequence: 1, hash: basis },
    since: EPOCH,
    isNamed: false,
    hash,
    comparisons: 0,
    looked: -1,
    canarySince: null,
    waitsSince: null,
    ending: null,
  });
  const spool = memorySpool();
  answered = [];
  start = () => started(storage, spool);
  coordinator = await start();
  const info = (await (await fetch(`${coordinator.url}/api/tasks/iris/watch`)).json()) as WatchInfo;
  sessions = Array.from({ length: DEVICES }, (_, i) => device(i));
  for (const session of sessions) {
    session.connect();
    await session.monitor(task.id, { consent: info.consent as string });
  }
}

/** A process over what is stored. */
function started(storage: ReturnType<typeof memoryStorage>, spool: ReturnType<typeof memorySpool>) {
  return startCoordinator({
    config: { port: 0, logLevel: 'silent' },
    storage,
    clock,
    spool: {
      ...spool,
      get waiting() {
        return spool.waiting;
      },
      async append(owner, answer) {
        await spool.append(owner, answer);
        answered.push(owner);
      },
    },
  });
}

/** A device with examples from before the drift and from after it. */
function device(index: number, through?: (transport: Transport) => Transport): Session {
  const random = seededRandom('device', index);
  const draw = (count: number) =>
    selectExamples(
      examples,
      Array.from({ length: count }, () => integerBelow(random, examples.count)),
    );
  let now = EPOCH - HOUR;
  const data = memoryData(task.data, draw(40), { random: seededRandom('ids', index), now: () => now });
  now = EPOCH;
  const opened = data.add(draw(40), 'csv').then(() => data);
  return createHeadlessParticipant({
    url: coordinator.url,
    identity: `candidates/${index}`,
    examples: draw(0),
    openData: () => opened,
    heldOut: 0.5,
    host,
    backend: 'planned',
    ...(through === undefined ? {} : { through }),
  });
}

/** Sends all but answers. */
const silent = (transport: Transport): Transport => ({
  open: (events) => transport.open(events),
  request: (name, message) => (name === 'answer' ? new Promise(() => {}) : transport.request(name, message)),
  send: (name, message) => transport.send(name, message),
  get traffic() {
    return transport.traffic;
  },
  close: () => transport.close(),
});

/** Waits until all devices answered this many questions of a kind. */
const haveAnswered = (kind: string, times = 1) =>
  expect
    .poll(() => answered.filter((owner) => owner === `${kind}.iris`).length, { timeout: 20_000 })
    .toBe(times * DEVICES);
const firing = async () => (await coordinator.firings.page('iris', {}))[0];
const isIn = (state: string) => expect.poll(async () => (await firing())?.state).toBe(state);
const named = () => sessions.map(({ state }) => state.releases['iris']?.production?.hash);

/** Makes the reference of production, and lets each device predict by its arm until its reports tell of it. */
async function tried(production: Float32Array, candidate: Float32Array): Promise<void> {
  await haveAnswered('statistics', 2);
  clock.advance(HOUR / 6);
  await expect.poll(() => coordinator.monitored.info('iris')).toMatchObject({ state: 'reports' });
  const trainer = await createTrainer(description, { backend: 'planned', seed: 3 });
  const { xs, ys } = normalise(examples, task.data);
  const width = examples.features.length / examples.count;
  for (const [i, session] of sessions.entries()) {
    await expect.poll(() => session.state.monitored['iris']?.info?.state).toBe('reports');
    const weights = session.state.releases['iris']?.canary?.arm === 'canary' ? candidate : production;
    trainer.setWeights(weights);
    const outputs = await trainer.predict(xs, examples.count);
    const random = seededRandom('predictions', i);
    for (let k = 0; k < 30; k++) {
      const row = integerBelow(random, examples.count);
      session.observe('iris', {
        hash: weightsHash(weights),
        example: examples.features.slice(row * width, (row + 1) * width),
        output: outputs.subarray(row * 3, row * 3 + 3),
        id: `${k}`,
      });
      await session.outcome('iris', `${k}`, ys[row] as number);
    }
  }
  trainer.dispose();
  // The next period asks for what was counted.
  clock.advance(HOUR);
  await haveAnswered('report');
  clock.advance(HOUR);
}

it('compares a better candidate, tries it on half of the devices, and releases it to all', async () => {
  await begun(poor, good, policy);
  await haveAnswered('compare');
  await haveAnswered('statistics');
  clock.advance(HOUR / 6);
  await isIn('canary');
  expect((await firing())?.comparison).toMatchObject({ participants: DEVICES, decision: 'accept' });
  await expect
    .poll(() => sessions.map(({ state }) => state.releases['iris']?.canary?.arm).toSorted())
    .toEqual(expect.arrayContaining(['canary', 'control']));
  await tried(poor, good);
  await isIn('ended');
  const ended = await firing();
  expect(ended).toMatchObject({ outcome: 'released', canary: { decision: 'promote' } });
  const { canary, control } = ended?.canary?.participants ?? { canary: 0, control: 0 };
  expect(canary + control).toBe(DEVICES);
  await expect.poll(named).toEqual(sessions.map(() => weightsHash(good)));
  for (const { state } of sessions) expect(state.releases['iris']?.canary).toBeNull();
});

it('is held up by no device that offers answers and gives none, in whichever arm', async () => {
  await begun(poor, good, policy);
  const { consent } = await coordinator.monitored.info('iris');
  const others = Array.from({ length: DEVICES }, (_, i) => device(DEVICES + i, silent));
  onTestFinished(() => {
    for (const session of others) session.close();
  });
  for (const session of others) {
    session.connect();
    await session.monitor(task.id, { consent: consent as string });
  }
  await haveAnswered('compare');
  await haveAnswered('statistics');
  clock.advance(HOUR / 6);
  await isIn('canary');
  expect((await firing())?.comparison).toMatchObject({ participants: DEVICES, decision: 'accept' });
  await expect
    .poll(() => others.map(({ state }) => state.releases['iris']?.canary?.arm).toSorted())
    .toEqual(expect.arrayContaining(['canary', 'control']));
  await tried(poor, good);
  await isIn('ended');
  const ended = await firing();
  expect(ended).toMatchObject({ outcome: 'released', canary: { decision: 'promote' } });
  const { canary, control } = ended?.canary?.participants ?? { canary: 0, control: 0 };
  expect(canary + control).toBe(DEVICES);
});

it('decides after a restart on the answers that were acknowledged before it', async () => {
  await begun(poor, good, policy);
  await haveAnswered('compare');
  await coordinator.close();
  coordinator = await start();
  clock.advance(HOUR / 6);
  await isIn('canary');
  expect((await firing())?.comparison).toMatchObject({ participants: DEVICES, decision: 'accept' });
});

it('refuses a worse candidate by the comparison', async () => {
  await begun(good, poor, policy);
  await haveAnswered('compare');
  clock.advance(HOUR / 6);
  await isIn('ended');
  expect(await firing()).toMatchObject({
    outcome: 'refused',
    comparison: { participants: DEVICES, decision: 'refuse' },
    canary: null,
  });
  expect((await coordinator.releases.at('iris', 'production'))?.checkpoint).toBe('iris-1/1');
});

it('takes a worse candidate back that no gate compared', async () => {
  await begun(good, poor, { ...policy, gate: null });
  await isIn('canary');
  await haveAnswered('statistics');
  clock.advance(HOUR / 6);
  await tried(good, poor);
  await isIn('ended');
  expect(await firing()).toMatchObject({ outcome: 'rolled-back', canary: { decision: 'roll-back' } });
  await expect
    .poll(() => sessions.map(({ state }) => state.releases['iris']?.canary))
    .toEqual(sessions.map(() => null));
  expect(named()).toEqual(sessions.map(() => weightsHash(good)));
});
