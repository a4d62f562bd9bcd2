import {
  type Binning,
  BinningSchema,
  consentVersion,
  firstBinning,
  identityOf,
  largestNorm,
  type Policy,
  ReferenceSchema,
  type ReportKind,
} from '@coppice/continuity';
import { builtInTask } from '@coppice/datasets';
import { zcdpEpsilon } from '@coppice/federation';
import { ManualClock } from '@coppice/ports';
import type {
  Down,
  Event,
  PolicyInfo,
  Release,
  Reply,
  Task,
  TaskAsk,
  UpValue,
  WatchedPeriod,
  WatchInfo,
} from '@coppice/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Coordinator, startCoordinator } from '../coordinator.ts';
import { type Connected, connectParticipant, next } from '../realtime/participant.testing.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import { newModel } from '../storage/new-run.testing.ts';
import type { Spool } from '../storage/spool.ts';
import type { RunRecord, Storage } from '../storage/storage.ts';
import { drawReport, drawStatistics, reportAnswer } from './report.testing.ts';
import { watching } from './watched.testing.ts';
import { LONGEST_PART } from './watched-task.ts';

const KEY = 'a-key-for-tests';
const DAY = 24 * 3600 * 1000;
const EPOCH = 1_760_000_000_000;
const iris = builtInTask('iris') as Task;
const policy: Policy = { ...watching, watch: { ...watching.watch, fewest: 5 } };
const claimOf = ({ periodMilliseconds, watch: { minimum } }: Policy) => ({
  task: 'iris',
  consent: consentVersion({ binning: firstBinning(iris), periodMilliseconds, minimum }),
  recipe: firstBinning(iris).recipe,
});

let storage: Storage;
let spool: Spool;
let clock: ManualClock;
let coordinator: Coordinator;
/** All that were started, the killed ones too. */
let coordinators: Coordinator[];
let devices: Connected[];

beforeEach(async () => {
  coordinators = [];
  devices = [];
  await begin();
});
afterEach(async () => {
  for (const { socket } of devices) socket.disconnect();
  for (const one of coordinators) await one.close();
});

/** A coordinator with nothing in it. */
async function begin(): Promise<void> {
  storage = memoryStorage();
  spool = memorySpool();
  clock = new ManualClock(EPOCH);
  await start();
}

async function start(): Promise<void> {
  const config = { port: 0, adminKey: KEY, logLevel: 'silent' } as const;
  coordinator = await startCoordinator({ config, clock, storage, spool });
  coordinators.push(coordinator);
}

/** Another process takes over what is stored: this one has no time any more, and nothing of it is closed. */
async function kill(): Promise<void> {
  clock = new ManualClock(clock.now());
  await start();
}

async function call<T>(path: string, put?: object): Promise<T> {
  const response = await fetch(`${coordinator.url}/api/${path}`, {
    method: put === undefined ? 'GET' : 'PUT',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    ...(put === undefined ? {} : { body: JSON.stringify(put) }),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as T;
}
const save = async (given: Policy | null) => {
  const { version } = await call<PolicyInfo>('tasks/iris/policy');
  await call('tasks/iris/policy', { expected: version, policy: given });
};
const info = () => call<WatchInfo>('tasks/iris/watch');
const state = async () => (await info()).state;
const binningNow = async (): Promise<Binning> => {
  const { binning } = (await info()).reference ?? {};
  const reference = ReferenceSchema.safeParse(binning);
  return reference.success ? reference.data : BinningSchema.parse(binning);
};

/** Moves production to the first round of a new run, that trained on the examples of three days. */
async function promote(): Promise<Release> {
  const { runs, releases } = coordinator;
  const { id } = await runs.create('iris', { window: 3 }, false);
  const record = (await storage.runs()).find((run) => run.id === id) as RunRecord;
  const weights = (await storage.latest(id))?.weights.map((one) => one + record.sequence) as Float32Array;
  const { model, ...commit } = newModel(record, 1, weights);
  const checkpoint = { ...model.checkpoint, createdAt: EPOCH };
  await storage.commit({ ...commit, model: { ...model, checkpoint } });
  const expected = (await storage.lastRelease('iris', 'production'))?.sequence ?? null;
  const by = { by: 'admin', name: 'a test' } as const;
  return releases.move('iris', 'production', { checkpoint: `${id}/1`, expected, reason: 'Better.', by });
}

/** Connects devices that offer answers. */
async function connect(count: number, given = policy): Promise<Connected[]> {
  const made = await Promise.all(Array.from({ length: count }, () => connectParticipant(coordinator.url)));
  devices.push(...made);
  for (const { socket } of made)
    expect(await socket.emitWithAck('monitor', claimOf(given))).toMatchObject({ ok: true });
  return made;
}
/** The next question to each, which `ask` brings about. */
const questions = async (some: readonly Connected[], ask: () => unknown): Promise<TaskAsk[]> => {
  const asked = some.map(({ socket }) => next<TaskAsk>(socket, 'ask'));
  await ask();
  return Promise.all(asked);
};
const answer = async (
  { socket, id }: Connected,
  { kind, ticket, period }: TaskAsk,
  of: Binning,
  power = 2,
): Promise<Reply<UpValue<'answer'>>> => {
  const asked = kind === 'statistics' ? kind : 'report';
  const draw = asked === 'statistics' ? drawStatistics : drawReport;
  // Ids are new in each run: what a device reports is not to be.
  const place = devices.findIndex((one) => one.id === id);
  const { run: _run, ...report } = reportAnswer(draw(`${place} ${period}`, { of, power }), of, ticket, asked);
  return socket.emitWithAck('answer', { ...report, task: 'iris' });
};
const counted = { ok: true, value: { duplicate: false, next: null } };
const refusal = (code: string) => ({ ok: false, error: expect.objectContaining({ code }) });

/** Answers both parts of the reference. */
async function makeReference(some: readonly Connected[], asked: readonly TaskAsk[]): Promise<TaskAsk[]> {
  let open = asked;
  for (const part of [0, 1]) {
    const of = await binningNow();
    for (const [i, device] of some.entries()) {
      expect(open[i]).toMatchObject({ kind: 'statistics', reference: identityOf(of) });
      expect(await answer(device, open[i] as TaskAsk, of)).toEqual(counted);
    }
    open = await questions(some, () => clock.advance(LONGEST_PART));
    expect(open.map(({ kind }) => kind)).toEqual(some.map(() => (part === 0 ? 'statistics' : 'report')));
  }
  return [...open];
}

it('tells what is reported as soon as a policy is saved or production moves, and after a start', async () => {
  // Storage is slower than a request.
  const { lastRelease } = storage;
  storage.lastRelease = async (...of) => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    return lastRelease(...of);
  };
  await promote();
  await save(policy);
  expect(await info()).toMatchObject({ state: 'reference', consent: claimOf(policy).consent });
  const { sequence } = await promote();
  expect((await info()).release?.sequence).toBe(sequence);
  await kill();
  expect((await info()).state).toBe('reference');
  await save(null);
  expect(await info()).toMatchObject({ state: 'off', consent: null });
});

describe('a task with a policy', () => {
  it('is watched by itself: a release, its reference by statistics, then reports and their verdicts', async () => {
    expect(await info()).toMatchObject({ state: 'off', consent: null, release: null, reference: null });
    await save(policy);
    await expect.poll(state).toBe('no-release');
    const some = await connect(6);
    // A move of production begins the watch: nothing else is done.
    let released: Release | null = null;
    const first = await questions(some, async () => {
      released = await promote();
    });
    const { sequence, checkpoint, hash } = released as unknown as Release;
    expect(first[0]).toMatchObject({
      period: 0,
      remaining: LONGEST_PART,
      models: [{ role: 'production', checkpoint, hash }],
      since: EPOCH - 3 * DAY,
    });
    expect(await info()).toMatchObject({
      state: 'reference',
      consent: claimOf(policy).consent,
      periodMilliseconds: DAY,
      minimum: policy.watch.minimum,
      release: { sequence, checkpoint, hash },
    });
    let asked = await makeReference(some, first);
    expect(await state()).toBe('reports');
    const reference = await binningNow();
    // Three of ten labels are of the second class; the second column is a square of uniform numbers.
    const { labels, columns } = ReferenceSchema.parse(reference);
    expect(labels?.spread).toMatchObject({ participants: 6 });
    expect(labels?.spread.shares[1]).toBeCloseTo(0.3, 0);
    const [, second] = columns;
    const moment = second?.kind === 'number' ? second.moment : undefined;
    expect(Math.abs((moment?.mean as number) - 1 / 3)).toBeLessThan(0.1);
    expect(Math.abs((moment?.deviation as number) - Math.sqrt(4 / 45))).toBeLessThan(0.1);
    for (const [period, power] of [2, 2, 1].entries()) {
      for (const [i, device] of some.entries()) {
        expect(asked[i]).toMatchObject({ period, models: [], since: null });
        expect(await answer(device, asked[i] as TaskAsk, reference, power)).toEqual(counted);
      }
      asked = await questions(some, () => clock.advance(DAY));
    }
    const periods = await call<WatchedPeriod[]>('tasks/iris/drift');
    expect(periods.map(({ period, reports, release: of }) => [period, reports, of])).toEqual(
      [2, 1, 0].map((period) => [period, 6, sequence]),
    );
    for (const { reference: of } of periods) expect(of).toBe((await info()).reference?.identity);
    expect(periods[2]?.verdict).toMatchObject({ participants: 6, drift: { alarm: false } });
    expect(periods[0]?.verdict?.drift.results[0]).toMatchObject({ name: 'sepal width' });
  });

  it('goes on after a restart with the part or the period that was open, to the same reference and sums', async () => {
    await save(policy);
    const whole = await throughOnePeriod(() => Promise.resolve());
    await begin();
    await save(policy);
    expect(await throughOnePeriod(kill)).toEqual(whole);
    expect(whole.periods).toMatchObject([{ period: 0, reports: 6, verdict: { participants: 6 } }]);
  });

  it('tells participants where a policy asks for other reports, and asks them no more until they consent', async () => {
    await save(policy);
    await promote();
    await expect.poll(state).toBe('reference');
    const [device, other] = (await connect(2)) as [Connected, Connected];
    const told = next<Down<'notice'>>(device.socket, 'notice');
    const hourly = { ...policy, periodMilliseconds: 3_600_000 };
    await save(hourly);
    expect(await told).toMatchObject({ code: 'consent-outdated', task: 'iris' });
    expect(coordinator.monitored.offers.of('iris')).toEqual([]);
    expect(await device.socket.emitWithAck('monitor', claimOf(policy))).toEqual(refusal('consent-outdated'));
    const consents = async () => {
      expect(await device.socket.emitWithAck('monitor', claimOf(hourly))).toMatchObject({ ok: true });
    };
    expect(await questions([device], consents)).toMatchObject([{ kind: 'statistics' }]);
    // A change that reports do not tell of: nobody is asked again, and the part goes on.
    await save({ ...hourly, watch: { ...policy.watch, threshold: 0.25 } });
    expect(coordinator.monitored.offers.of('iris')).toEqual([device.id]);
    other.socket.disconnect();
  });

  it('begins anew with the next release, erases what was open, and ends with its policy', async () => {
    await save(policy);
    const some = await connect(5);
    const first = await questions(some, promote);
    const [asked] = await makeReference(some, first);
    const reference = await binningNow();
    const [device] = some as [Connected];
    expect(await answer(device, asked as TaskAsk, reference)).toEqual(counted);
    expect(await spool.recover('report.iris')).not.toBeNull();
    const second = await questions(some, promote);
    expect(second[0]).toMatchObject({ kind: 'statistics', reference: identityOf(firstBinning(iris)) });
    expect(second[0]?.period).toBeGreaterThan(first[0]?.period as number);
    // The report of the release before comes too late; its bins are not those of now.
    expect(await answer(device, { ...(second[0] as TaskAsk), period: 7 }, reference)).toEqual(
      refusal('report-mismatch'),
    );
    expect(await answer(device, asked as TaskAsk, reference)).toEqual(refusal('update-late'));
    await save(null);
    await expect.poll(state).toBe('off');
    for (const kind of ['report', 'statistics']) expect(await spool.recover(`${kind}.iris`)).toBeNull();
    expect(await device.socket.emitWithAck('monitor', claimOf(policy))).toEqual({
      ok: true,
      value: { watched: false, ticket: expect.stringMatching(/^offer-/) },
    });
  });

  it('begins the first part anew where production moves in the middle of it: its answers were about another model', async () => {
    await save(policy);
    const some = await connect(6);
    const first = await questions(some, promote);
    const of = await binningNow();
    for (const [i, device] of some.slice(0, 5).entries())
      expect(await answer(device, first[i] as TaskAsk, of)).toEqual(counted);
    const second = await questions(some, promote);
    expect(second[0]).toMatchObject({ kind: 'statistics', reference: identityOf(of) });
    expect(second[0]?.models).not.toEqual(first[0]?.models);
    // Made with the same bins, about the model before.
    const [asked] = first.slice(5) as [TaskAsk];
    expect(await answer(some[5] as Connected, asked, of)).toEqual(refusal('update-late'));
    for (const [i, device] of some.entries())
      expect(await answer(device, second[i] as TaskAsk, of)).toEqual(counted);
  });

  it('adds noise by its budget, and asks nothing more once that is spent, until it is raised', async () => {
    const privacy = { rho: 0.5, delta: 1e-6, epsilon: 10 };
    await save({ ...policy, privacy });
    const some = await connect(6);
    let asked = await makeReference(some, await questions(some, promote));
    const spent = async () => (await info()).privacy?.spentEpsilon;
    const epsilonOf = (exchanges: number) => zcdpEpsilon(exchanges * privacy.rho, privacy.delta).epsilon;
    // The budget has room for three exchanges: two parts of the reference and a period.
    expect(epsilonOf(3)).toBeLessThan(privacy.epsilon);
    expect(epsilonOf(4)).toBeGreaterThan(privacy.epsilon);
    expect(await spent()).toBeCloseTo(epsilonOf(2), 9);
    const answerAll = async () => {
      const of = await binningNow();
      for (const [i, device] of some.entries())
        expect(await answer(device, asked[i] as TaskAsk, of)).toEqual(counted);
    };
    await answerAll();
    clock.advance(DAY);
    await expect.poll(state).toBe('budget-spent');
    expect(await spent()).toBeCloseTo(epsilonOf(3), 9);
    const [period] = await call<WatchedPeriod[]>('tasks/iris/drift');
    expect(period).toMatchObject({ period: 0, reports: 6 });
    expect(period?.noise).toBeGreaterThan(1);
    // Nothing was missing; the noise says otherwise, in numbers of which none is likely.
    expect(period?.sums?.['missing']).not.toEqual([0, 0, 0, 0]);
    await expect
      .poll(async () => (await call<Event[]>('events')).map(({ kind }) => kind))
      .toContain('privacy-budget-spent');
    // Nothing is open, also after a restart, and nobody is asked.
    await kill();
    expect(await state()).toBe('budget-spent');
    expect(await spool.recover('report.iris')).toBeNull();
    const again = await connect(1, policy);
    expect(coordinator.monitored.isWatched('iris')).toBe(false);
    asked = await questions(again, () => save({ ...policy, privacy: { ...privacy, epsilon: 20 } }));
    expect(asked[0]).toMatchObject({ kind: 'report', period: 1 });
  });

  it('reads no sum that a budget has no room for that was lowered while its period was open', async () => {
    // Room for three exchanges, as above, is left of room for more.
    const privacy = { rho: 0.5, delta: 1e-6, epsilon: 10 };
    await save({ ...policy, privacy: { ...privacy, epsilon: 20 } });
    const some = await connect(6);
    let asked = await makeReference(some, await questions(some, promote));
    const of = await binningNow();
    const answerAll = async () => {
      for (const [i, device] of some.entries())
        expect(await answer(device, asked[i] as TaskAsk, of)).toEqual(counted);
    };
    await answerAll();
    asked = await questions(some, () => clock.advance(DAY));
    await answerAll();
    await save({ ...policy, privacy });
    clock.advance(DAY);
    await expect.poll(state).toBe('budget-spent');
    const { epsilon } = zcdpEpsilon(3 * privacy.rho, privacy.delta);
    expect((await info()).privacy?.spentEpsilon).toBeCloseTo(epsilon, 9);
    expect(await call<WatchedPeriod[]>('tasks/iris/drift')).toMatchObject([
      { period: 1, reports: 6, sums: null, verdict: null },
      { period: 0, reports: 6, sums: expect.anything() },
    ]);
  });

  it('opens no period where the budget has no room for a comparison beside it', async () => {
    // Room for three exchanges, as above.
    const privacy = { rho: 0.5, delta: 1e-6, epsilon: 10 };
    const gate = { kind: 'gate', alpha: 0.05, older: null, worst: 0.05, fewest: 10 } as const;
    await save({ ...policy, privacy });
    const some = await connect(6);
    await makeReference(some, await questions(some, promote));
    expect(await state()).toBe('reports');
    await storage.putPolicy({
      task: 'iris',
      expected: 1,
      at: clock.now(),
      by: { by: 'admin', name: 'a test' },
      policy: { ...policy, privacy, gate },
    });
    await kill();
    clock.advance(DAY);
    await expect.poll(state).toBe('budget-spent');
  });

  it('refuses statistics that no examples give, and reports in their place', async () => {
    await save(policy);
    const some = await connect(3);
    const asked = await questions(some, promote);
    const of = await binningNow();
    const send = (i: number, numbers: Float32Array, kind: ReportKind) => {
      const { run: _run, ...sent } = reportAnswer(numbers, of, asked[i]?.ticket, kind);
      return (some[i] as Connected).socket.emitWithAck('answer', { ...sent, task: 'iris' });
    };
    expect(await send(0, drawReport('a', { of }), 'report')).toEqual(refusal('report-mismatch'));
    // The last six numbers are the shares of three labels, and their squares.
    const numbers = drawStatistics('a', { of });
    numbers[numbers.length - 6] = 1.5;
    expect(await send(1, numbers, 'statistics')).toEqual(refusal('update-measure'));
    expect(await send(2, drawStatistics('a', { of }), 'statistics')).toEqual(counted);
  });

  it('adds the noise to statistics that their own numbers need', async () => {
    const privacy = { rho: 0.5, epsilon: 100, delta: 1e-5 };
    await save({ ...policy, privacy });
    const some = await connect(1);
    await questions(some, promote);
    const spooled = await spool.recover('statistics.iris');
    const norm = largestNorm(firstBinning(iris), policy.watch.minimum, 'statistics');
    const { noise = null } = (spooled?.opening ?? {}) as { noise?: { variance: number } | null };
    expect(noise?.variance).toBeCloseTo(norm ** 2 / (2 * privacy.rho), 9);
    expect(norm).toBeGreaterThan(largestNorm(firstBinning(iris), policy.watch.minimum));
  });

  it('repeats a part of the reference that too few answered', async () => {
    await save(policy);
    const some = await connect(4);
    let asked = await questions(some, promote);
    const of = await binningNow();
    for (const [i, device] of some.entries())
      expect(await answer(device, asked[i] as TaskAsk, of)).toEqual(counted);
    const before = asked[0]?.period as number;
    asked = await questions(some, () => clock.advance(LONGEST_PART));
    expect(asked[0]).toMatchObject({
      kind: 'statistics',
      reference: identityOf(of),
      remaining: LONGEST_PART,
    });
    expect(asked[0]?.period).toBeGreaterThan(before);
  });
});

/**
 * Two parts of a reference and one period, each with six reports of the same data.
 *
 * @param between happens in the middle of each, after three of them.
 */
async function throughOnePeriod(between: () => Promise<void>) {
  await promote();
  for (const [length, following] of [
    [LONGEST_PART, 'reference'],
    [LONGEST_PART, 'reports'],
    [DAY, 'reports'],
  ] as const) {
    await expect.poll(state).toMatch(/^re/);
    const { identity } = (await info()).reference ?? {};
    const of = await binningNow();
    const threeAnswer = async (from: number) => {
      const some = await Promise.all([0, 1, 2].map(() => connectParticipant(coordinator.url)));
      devices.push(...some);
      const asked = await questions(some, async () => {
        for (const { socket } of some) await socket.emitWithAck('monitor', claimOf(policy));
      });
      for (const [n, device] of some.entries())
        expect(await answer({ ...device, id: `device ${from + n}` }, asked[n] as TaskAsk, of)).toEqual(
          counted,
        );
      return asked;
    };
    await threeAnswer(0);
    await between();
    const [asked] = await threeAnswer(3);
    const watching = await questions(devices.slice(-1), () => clock.advance(length));
    expect(await state()).toBe(following);
    expect([asked?.reference, watching.length]).toEqual([identity, 1]);
  }
  return { reference: (await info()).reference, periods: await call<WatchedPeriod[]>('tasks/iris/drift') };
}
