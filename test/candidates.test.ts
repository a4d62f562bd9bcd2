import { defaultWatch, type Policy, ReferenceSchema } from '@coppice/continuity';
import { type Coordinator, memorySpool, memoryStorage, startCoordinator } from '@coppice/coordinator';
import { builtInTask, normalise, selectExamples } from '@coppice/datasets';
import { loadTaskData } from '@coppice/datasets/node';
import {
  httpTasks,
  memoryData,
  type ParcelPass,
  type Session,
  type TaskSource,
  type Transport,
} from '@coppice/participant';
import { createHeadlessParticipant, trainerHost } from '@coppice/participant/node';
import { integerBelow, ManualClock, seededRandom } from '@coppice/ports';
import { systemClock } from '@coppice/ports/system';
import {
  type Admission,
  defaultPlan,
  PARTICIPANT_HEADER,
  type Task,
  TICKET_HEADER,
  type WatchInfo,
  weightsHash,
} from '@coppice/protocol';
import { createTrainer } from '@coppice/training';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

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
/** The devices that send no answers from now on. */
let muted: Set<Session>;
/** What devices showed last to get a model, by the kind of question and their number. */
let passes: Map<string, ParcelPass>;

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

/**
 * A coordinator with a firing whose run is over, and its devices, which offered answers. @param admission of the runs; where they
 * are not open, the task admits these devices alone.
 */
async function begun(
  production: Float32Array,
  candidate: Float32Array,
  rules: Policy,
  admission: Admission = 'open',
): Promise<void> {
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
      admission,
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
  muted = new Set();
  passes = new Map();
  start = () => started(storage, spool);
  coordinator = await start();
  const info = (await (await fetch(`${coordinator.url}/api/tasks/iris/watch`)).json()) as WatchInfo;
  sessions = Array.from({ length: DEVICES }, (_, i) =>
    device(i, (transport) => silent(transport, () => muted.has(sessions[i] as Session))),
  );
  for (const session of sessions) session.connect();
  if (admission !== 'open') {
    await expect.poll(() => sessions.every(({ state }) => state.connection === 'online')).toBe(true);
    const keep = sessions.map(({ state }) => state.participant ?? '');
    await coordinator.admissions.change('task:iris', 'listed', { keep, by: 'a test' });
  }
  for (const session of sessions) {
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
    tasks: noting(index),
    host,
    backend: 'planned',
    ...(through === undefined ? {} : { through }),
  });
}

/** The coordinator's tasks, which notes what a device shows to get a model. */
function noting(index: number): TaskSource {
  const source = httpTasks(coordinator.url, { clock: systemClock });
  return {
    ...source,
    model(of, hash, pass) {
      if (pass !== undefined) passes.set(`${pass.ticket.split('-')[0]} ${index}`, pass);
      return source.model(of, hash, pass);
    },
  };
}

/** Sends all but answers, while it is silent. */
const silent = (transport: Transport, isSilent = () => true): Transport => ({
  open: (events) => transport.open(events),
  request: (name, message) =>
    name === 'answer' && isSilent() ? new Promise(() => {}) : transport.request(name, message),
  send: (name, message) => transport.send(name, message),
  get traffic() {
    return transport.traffic;
  },
  close: () => transport.close(),
});

/** Waits until all devices answered this many questions of a kind. */
const haveAnswered = (kind: string, times = 1) => answersOf(kind, times * DEVICES);
const answersOf = (kind: string, number: number) =>
  expect
    .poll(() => answered.filter((owner) => owner === `${kind}.iris`).length, { timeout: 20_000 })
    .toBe(number);
const firing = async () => (await coordinator.firings.page('iris', {}))[0];
const isIn = (state: string) => expect.poll(async () => (await firing())?.state).toBe(state);
const named = () => sessions.map(({ state }) => state.releases['iris']?.production?.hash);

/**
 * Makes the reference of production, and lets each device predict by its arm until its reports tell of it.
 *
 * @param silenced devices of the canary that send no report.
 */
async function tried(production: Float32Array, candidate: Float32Array, silenced = 0): Promise<void> {
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
  for (const session of sessions)
    if (muted.size < silenced && session.state.releases['iris']?.canary?.arm === 'canary') muted.add(session);
  expect(muted.size).toBe(silenced);
  // The next period asks for what was counted.
  clock.advance(HOUR);
  await answersOf('report', DEVICES - silenced);
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
  const others = Array.from({ length: DEVICES }, (_, i) =>
    device(DEVICES + i, (transport) => silent(transport)),
  );
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

it('takes a candidate back that makes devices of its arm fall silent, however good it is on the others', async () => {
  const watch = { ...policy.watch, fewest: 2 };
  const canary = policy.canary && { ...policy.canary, silence: 0.2, participants: 10 };
  await begun(poor, good, { ...policy, watch, canary });
  await haveAnswered('compare');
  await haveAnswered('statistics');
  clock.advance(HOUR / 6);
  await isIn('canary');
  const inArm = (of: string) =>
    sessions.filter(({ state }) => state.releases['iris']?.canary?.arm === of).length;
  await expect.poll(() => [inArm('canary'), inArm('control')]).toEqual([8, 8]);
  await tried(poor, good, 5);
  await isIn('ended');
  expect(await firing()).toMatchObject({
    outcome: 'rolled-back',
    canary: {
      decision: 'roll-back',
      reasons: [
        { guard: 'error', outcome: 'better' },
        // (1 + 11 + 55 + 165) / 2¹¹.
        {
          hindrance: 'fewer-participants',
          canary: 3,
          control: 8,
          p: expect.closeTo(232 / 2048, 9),
          bound: 0.2,
        },
      ],
    },
  });
  expect((await coordinator.releases.at('iris', 'production'))?.checkpoint).toBe('iris-1/1');
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

it('compares recent examples alone where the gate says so', async () => {
  const gate = policy.gate && { ...policy.gate, older: null };
  await begun(poor, good, { ...policy, gate });
  await haveAnswered('compare');
  clock.advance(HOUR / 6);
  await isIn('canary');
  const { reasons = [] } = (await firing())?.comparison ?? {};
  expect(reasons).toContainEqual(expect.objectContaining({ check: 'recent', outcome: 'passed' }));
  expect(reasons).not.toContainEqual(expect.objectContaining({ check: 'older' }));
});

it('pays for a comparison with noise once, also after a restart', async () => {
  // So much ρ that the noise hides nothing of sixteen devices, and a budget for it that is no protection.
  const privacy = { rho: 10, epsilon: 1000, delta: 0.1 };
  // Of the reference, which more devices would have to answer, nothing is read.
  await begun(poor, good, { ...policy, privacy, watch: { ...policy.watch, fewest: 100 } });
  await haveAnswered('compare');
  await coordinator.close();
  coordinator = await start();
  expect((await coordinator.monitored.info('iris')).privacy?.spentEpsilon).toBe(0);
  clock.advance(HOUR / 6);
  await expect.poll(async () => (await firing())?.comparison?.decision ?? null).not.toBeNull();
  const { participants, reasons = [] } = (await firing())?.comparison ?? {};
  expect(participants).toBe(DEVICES);
  expect(reasons).toContainEqual(expect.objectContaining({ check: 'recent' }));
  expect(await coordinator.storage.spentRho('iris')).toBe(10);
});

it('ends a firing by name where the privacy budget has no room for its comparison', async () => {
  await begun(poor, good, { ...policy, privacy: { rho: 10, epsilon: 1, delta: 1e-6 } });
  await isIn('ended');
  expect(await firing()).toMatchObject({ outcome: 'budget-spent', comparison: { decision: null } });
  expect(answered).toEqual([]);
  expect((await coordinator.releases.at('iris', 'production'))?.checkpoint).toBe('iris-1/1');
});

describe('of runs that are not open', () => {
  /** The answer to a request for a model: its status, or the code of its refusal. */
  const fetched = async (hash: string, pass?: ParcelPass) => {
    const headers =
      pass === undefined ? {} : { [PARTICIPANT_HEADER]: pass.participant, [TICKET_HEADER]: pass.ticket };
    const answers = ['model.json', 'weights.bin'].map(async (file) => {
      const response = await fetch(`${coordinator.url}/models/iris/${hash}/${file}`, { headers });
      if (!response.ok) return ((await response.json()) as { error: { code: string } }).error.code;
      await response.arrayBuffer();
      return response.headers.get('cache-control');
    });
    const [model, weights] = await Promise.all(answers);
    expect(model).toBe(weights);
    return model;
  };
  const [first, second] = [() => weightsHash(poor), () => weightsHash(good)];

  it('makes a reference and compares a candidate with the devices that the task admits', async () => {
    await begun(poor, good, policy, 'invited');
    await haveAnswered('compare');
    await haveAnswered('statistics');
    clock.advance(HOUR / 6);
    await isIn('canary');
    expect((await firing())?.comparison).toMatchObject({ participants: DEVICES, decision: 'accept' });
    await haveAnswered('statistics', 2);
    clock.advance(HOUR / 6);
    await expect.poll(() => coordinator.monitored.info('iris')).toMatchObject({ state: 'reports' });
    const { reference } = await coordinator.monitored.info('iris');
    const { labels, columns } = ReferenceSchema.parse(reference?.binning);
    // Of iris a third of the examples is of each class, and sepals are 5.8 cm long.
    expect(labels?.spread.participants).toBe(DEVICES);
    for (const share of labels?.spread.shares ?? []) expect(Math.abs(share - 1 / 3)).toBeLessThan(0.08);
    const [sepals] = columns;
    expect(sepals?.kind === 'number' && sepals.moment?.mean).toBeCloseTo(5.84, 0);
    expect(sepals?.kind === 'number' && sepals.moment?.deviation).toBeCloseTo(0.83, 0);

    // By its offer a device has the model that it predicts with: that in production or, in its arm, the canary.
    for (const { state } of sessions) {
      const pass = state.monitored['iris']?.pass as ParcelPass;
      const isTried = state.releases['iris']?.canary?.arm === 'canary';
      expect(await fetched('production', pass)).toBe('private, no-store');
      expect(await fetched(second(), pass)).toBe(isTried ? 'private, no-store' : 'ticket-invalid');
    }
    const [one, another] = sessions.map(({ state }) => state.monitored['iris']?.pass as ParcelPass);
    const [device] = sessions as [Session];
    device.close();
    await expect.poll(() => fetched('production', one)).toBe('ticket-invalid');
    // Where the task is open to all, the run decides: these devices are not on its list.
    await coordinator.admissions.change('task:iris', 'open', { keep: [], by: 'a test' });
    expect(await fetched('production', another)).toBe('run-not-admitted');
    const { participant } = another as ParcelPass;
    await coordinator.admissions.list('iris-1', [participant], { note: '', by: 'a test' });
    expect(await fetched('production', another)).toBe('private, no-store');
  });

  it('gives a model to a device that is asked about it, while it is asked, and to nobody else', async () => {
    await begun(poor, good, policy, 'invited');
    await haveAnswered('compare');
    await haveAnswered('statistics');
    const passOf = (of: string) => passes.get(of) as ParcelPass;
    const [pass, others, statistics] = [passOf('compare 0'), passOf('compare 1'), passOf('statistics 0')];
    const refused = 'run-not-admitted';
    for (const hash of [first(), second()]) expect(await fetched(hash, pass)).toBe('private, no-store');
    // Statistics name the model in production alone.
    expect(await fetched(first(), statistics)).toBe('private, no-store');
    expect(await fetched(second(), statistics)).toBe('ticket-invalid');
    const stranger = createHeadlessParticipant({
      url: coordinator.url,
      identity: 'candidates/stranger',
      examples: selectExamples(examples, [0]),
      host,
      backend: 'planned',
    });
    sessions.push(stranger);
    stranger.connect();
    await expect.poll(() => stranger.state.connection).toBe('online');
    const { consent } = await coordinator.monitored.info('iris');
    await expect(stranger.monitor('iris', { consent: consent as string })).rejects.toMatchObject({
      code: refused,
    });
    const participant = stranger.state.participant as string;
    for (const hash of [first(), second()]) {
      expect(await fetched(hash)).toBe(refused);
      // The ticket of another one, and one that nobody made.
      expect(await fetched(hash, { participant, ticket: pass.ticket })).toBe(refused);
      expect(await fetched(hash, { participant, ticket: `${pass.ticket.split('.')[0]}.x` })).toBe(refused);
    }
    expect(await fetched('latest', { participant, ticket: pass.ticket })).toBe(refused);
    expect(await fetched('production', { participant, ticket: pass.ticket })).toBe(refused);

    // One that is put off the list, and all once the question is over.
    await coordinator.admissions.unlist('task:iris', others.participant);
    expect(await fetched(first(), others)).toBe(refused);
    clock.advance(HOUR / 6);
    await isIn('canary');
    for (const asked of [pass, statistics]) expect(await fetched(first(), asked)).toBe('ticket-invalid');
  });
});
