import { type Policy, parsePolicy, type TriggerRule } from '@coppice/continuity';
import { CoppiceError } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { testPolicy } from '../storage/firing.testing.ts';
import type { StoredFiring } from '../storage/firing-storage.ts';
import { newModel, newRun } from '../storage/new-run.testing.ts';
import { accepts, comparedAs, FiringWorld, guardSums, type Script, verdictOf } from './firings.testing.ts';

const HOUR = testPolicy.periodMilliseconds;
const trigger = testPolicy.trigger as TriggerRule;
const noDrift = { ...trigger, drift: null };
/** A script with another trigger. */
const withTrigger = (change: Partial<TriggerRule>, script: Script = accepts): Script => ({
  ...script,
  policy: { ...script.policy, trigger: { ...trigger, ...change } },
});

const privacy = { rho: 0.01, epsilon: 8, delta: 1e-6 };

/** A canary that is better on the 10 devices of it that report, beside 30 of the control group. */
const unequal = {
  'guard-present': [10, 30],
  'guard-errors': [10 * 0.1, 30 * 0.3],
  'guard-squares': [10 * (0.01 + 0.001), 30 * (0.09 + 0.001)],
};

/** Scripts by their outcome. */
const scripts: Readonly<Record<string, Script>> = {
  'released after a canary': accepts,
  'released after a gate': { ...accepts, policy: { ...testPolicy, canary: null } },
  'released after a canary alone': { ...accepts, policy: { ...testPolicy, gate: null } },
  'released at once': { ...accepts, policy: { ...testPolicy, gate: null, canary: null } },
  refused: { ...accepts, compare: () => comparedAs(false) },
  'refused since nothing can be told': { ...accepts, compare: () => null },
  'released by the third comparison': {
    ...accepts,
    compare: (attempt) => (attempt < 3 ? null : comparedAs(true)),
  },
  'released after a comparison with noise': { ...accepts, policy: { ...testPolicy, privacy } },
  'refused after three comparisons with noise': {
    ...accepts,
    policy: { ...testPolicy, privacy },
    compare: () => ({ ...comparedAs(true), recent: { ...comparedAs(true).recent, clusters: 0 } }),
  },
  'budget-spent before its comparison': {
    ...accepts,
    policy: { ...testPolicy, privacy },
    compare: () => 'budget-spent',
  },
  'rolled-back': { ...accepts, sums: guardSums(20, 0.5, 0.1) },
  'rolled-back since devices fall silent': { ...accepts, sums: unequal },
  'rolled-back since nothing can be told': { ...accepts, sums: null },
  'run-paused': { ...accepts, run: 'paused' },
  'run-stalled': { ...accepts, run: 'nobody' },
  'run-stalled after a round': { ...accepts, run: 'nobody-any-more' },
  'run-ended': { ...accepts, run: 'stopped' },
  'run-ended without a round': { ...accepts, run: 'empty' },
};

const outcomeOf = (name: string) => name.split(' ')[0];

async function undisturbed(script: Script) {
  const world = await new FiringWorld(script).begin();
  const process = world.process();
  await process.play();
  await process.firings.stop();
  expect(process.failures).toEqual([]);
  return { world, lasting: await world.lasting() };
}

const channelsOf = ({ releases }: Awaited<ReturnType<FiringWorld['lasting']>>) =>
  releases.map(({ channel, checkpoint }) => [channel, checkpoint]).reverse();

it('has a policy that can be saved', () => {
  for (const { policy } of Object.values(scripts))
    expect(
      parsePolicy(policy, { rounds: 2, bytes: null, deviceSeconds: null, epsilon: null }).refusal,
    ).toBeNull();
});

describe.each(Object.entries(scripts))('a firing that is %s', (name, script) => {
  it('ends so, and leaves the channels as they should be', async () => {
    const { lasting } = await undisturbed(script);
    const outcome = outcomeOf(name);
    expect(lasting.firings).toMatchObject([
      { state: 'ended', outcome, hasEnded: true, production: 'toy-1/1' },
    ]);
    const last = (channel: string) =>
      lasting.releases.find((one) => one.channel === channel)?.checkpoint ?? null;
    expect(last('production')).toBe(outcome === 'released' ? 'toy-2/2' : 'toy-1/1');
    expect([last('canary'), last('candidate')]).toEqual([null, null]);
    // Nothing that no firing waits for goes on beside it.
    const isGivenUp = outcome === 'run-paused' || outcome === 'run-stalled';
    const status = isGivenUp || script.run === 'stopped' ? 'stopped' : 'finished';
    expect(lasting.runs).toMatchObject([
      {},
      { from: 'toy-1/1', cause: { by: 'trigger', name: 'drift', firing: 1 }, status },
    ]);
    expect(lasting.runs[1]?.reason?.code).toBe(isGivenUp ? 'run-given-up' : undefined);
  });

  it('ends the same wherever the process is ended and started again', async () => {
    const { world: whole, lasting } = await undisturbed(script);
    for (let lives = 1; lives <= whole.written; lives++) {
      const world = await new FiringWorld(script).begin();
      const first = world.process(lives);
      await Promise.race([first.play(), first.ended]);
      const second = world.process();
      await second.play();
      await second.firings.stop();
      expect(await world.lasting(), `ended after write ${lives}`).toEqual(lasting);
      expect(second.failures).toEqual([]);
    }
  });
});

it.each([
  ['released after a comparison with noise', [1], 0.01],
  // Each of them was read.
  ['refused after three comparisons with noise', [1, 2, 3], 0.03],
  ['budget-spent before its comparison', [1], 0],
  ['released after a canary', [1], 0],
])('that is %s pays for its comparisons once, and lets each end after that', async (name, numbers, rho) => {
  const { world, lasting } = await undisturbed(scripts[name] as Script);
  expect(lasting.spentRho).toBeCloseTo(rho, 12);
  expect(world.settled).toEqual(numbers);
  expect(world.asked.map((asked) => [asked.number, asked.privacy, asked.older])).toEqual(
    numbers.map((number) => [number, rho === 0 && name.startsWith('released') ? null : privacy, true]),
  );
});

it('compares recent examples alone where the gate says so', async () => {
  const gate = testPolicy.gate && { ...testPolicy.gate, older: null };
  const { world } = await undisturbed({ ...accepts, policy: { ...testPolicy, gate } });
  expect(world.asked).toMatchObject([{ older: false }]);
});

it('looks at no sums without the noise that a policy promised while they were taken, and compares again with it', async () => {
  const by = { by: 'admin', name: 'a test' } as const;
  const policy = { ...testPolicy, privacy };
  const world: FiringWorld = new FiringWorld({
    ...accepts,
    compare: (attempt) => {
      if (attempt === 1) void world.storage.putPolicy({ task: 'toy', expected: 1, at: HOUR, by, policy });
      return comparedAs(true);
    },
  });
  const process = (await world.begin()).process();
  await process.play();
  await process.firings.stop();
  expect(world.asked.map((asked) => [asked.number, asked.privacy])).toEqual([
    [1, null],
    [2, privacy],
  ]);
  const { firings, spentRho } = await world.lasting();
  expect(firings).toMatchObject([{ state: 'ended', outcome: 'released' }]);
  expect(spentRho).toBe(privacy.rho);
});

it('launches no run where the privacy budget has no room for its comparison, and says so', async () => {
  const script = { ...accepts, policy: { ...testPolicy, privacy }, affords: false };
  const { world, lasting } = await undisturbed(script);
  expect(lasting.firings).toMatchObject([{ state: 'ended', outcome: 'budget-spent', run: null }]);
  expect(await world.storage.runs()).toHaveLength(1);
  expect(world.events.find(({ kind }) => kind === 'firing-ended')?.data).toMatchObject({
    outcome: 'budget-spent',
  });
  // Without a gate there is none to be paid.
  const free = await undisturbed({ ...script, policy: { ...script.policy, gate: null } });
  expect(free.lasting.firings).toMatchObject([{ outcome: 'released' }]);
});

it.each([
  [false, null],
  // The alarm is about the last hour, in steps of a ten-thousandth of a day.
  [true, 0.0417],
])('trains on the days since the alarm, where the policy says so: %s', async (sinceAlarm, window) => {
  const { world } = await undisturbed({ ...accepts, policy: { ...accepts.policy, sinceAlarm } });
  expect((await world.storage.runs()).at(-1)?.plan.window).toBe(window);
});

it('trains, of other causes, on the days since the drift that production answers', async () => {
  const days = { drift: 3, later: 5 };
  const policy = { ...accepts.policy, gate: null, canary: null, sinceAlarm: true };
  const world = await new FiringWorld({ ...accepts, policy }).begin();
  const process = world.process();
  await process.start();
  world.clock.advance(days.drift * 24 * HOUR);
  await process.firings.judged(await world.period({ startedAt: world.clock.now() }, true));
  const drift = await process.settled();
  await process.endRun();
  expect(await process.settled()).toBeNull();
  for (const _ of [1, 2]) {
    world.clock.advance(days.later * 24 * HOUR);
    await process.firings.fire('toy');
    await process.endRun();
    expect(await process.settled()).toBeNull();
  }
  const firings = await world.storage.firings('toy');
  expect(firings.map(({ outcome }) => outcome)).toEqual(['released', 'released', 'released']);
  expect(firings.map(({ since }) => since)).toEqual(new Array(3).fill(drift?.since));
  const windows = (await world.storage.runs()).flatMap(({ cause, plan }) =>
    cause.by === 'trigger' ? plan.window : [],
  );
  // An alarm is about the period before: two hours, and the days since then.
  expect(windows).toEqual([0.0834, days.later + 0.0834, 2 * days.later + 0.0834]);
  await process.firings.stop();
});

it('takes every step of a release once, in its order, with its evidence', async () => {
  const { world, lasting } = await undisturbed(accepts);
  expect(channelsOf(lasting)).toEqual([
    ['production', 'toy-1/1'],
    ['candidate', 'toy-2/2'],
    ['canary', 'toy-2/2'],
    ['production', 'toy-2/2'],
    ['canary', null],
    ['candidate', null],
  ]);
  const released = lasting.releases.find(({ sequence }) => sequence === 4);
  expect(released).toMatchObject({
    by: { by: 'trigger', name: 'drift', firing: 1 },
    evidence: {
      firing: 1,
      comparison: { candidate: 1, participants: 50, decision: 'accept' },
      canary: { sequence: 3, decision: 'promote', participants: { canary: 20, control: 20 } },
    },
  });
  expect(lasting.firings[0]).toMatchObject({
    release: 4,
    spent: { rounds: 2, bytes: 80, deviceSeconds: 3, epsilon: null },
  });
  expect(world.asked).toMatchObject([
    { number: 1, fewest: 5, milliseconds: 600_000, candidate: { checkpoint: 'toy-2/2' } },
  ]);
  // The examples since the period with the alarm are the recent ones.
  expect(world.asked[0]?.since).toBe(1_760_000_000_000);
  const kinds = world.events.map(({ kind }) => kind).filter((kind) => kind !== 'release-moved');
  expect(kinds).toEqual(['firing-began', 'canary-began', 'firing-ended']);
});

describe('an admin', () => {
  /** A firing that has come to a state, and an admin that moves production then. */
  async function movesIn(state: string, script: Script = accepts) {
    const world = await new FiringWorld(script).begin();
    const process = world.process();
    await process.start();
    await process.firings.judged(await world.period({}, true));
    if (state === 'canary') {
      await process.endRun();
      await process.settled();
    }
    if (state === 'comparing') {
      await process.endRun();
      await process.settled();
    }
    const open = await process.settled();
    expect(open?.state).toBe(state);
    const run = await world.storage.createRun(newRun(new Float32Array([7]), { status: 'finished' }));
    await world.storage.commit(newModel(run, 1, new Float32Array([8])));
    await process.releases.move('toy', 'production', {
      checkpoint: `${run.id}/1`,
      expected: 1,
      reason: 'By hand.',
      by: { by: 'admin', name: 'Ada' },
    });
    await process.settled();
    await process.firings.stop();
    return { world, lasting: await world.lasting(), moved: `${run.id}/1` };
  }

  it.each(['training', 'comparing', 'canary'])(
    'that moves production ends a firing in %s, and production stays where the admin put it',
    async (state) => {
      const script = state === 'comparing' ? { ...accepts, compare: () => null } : accepts;
      const { lasting, moved } = await movesIn(state, script);
      expect(lasting.firings).toMatchObject([{ state: 'ended', outcome: 'overtaken', release: null }]);
      const last = (channel: string) => lasting.releases.find((one) => one.channel === channel)?.checkpoint;
      expect(last('production')).toBe(moved);
      expect([last('canary') ?? null, last('candidate') ?? null]).toEqual([null, null]);
      expect(lasting.runs.find(({ id }) => id === 'toy-2')?.status).toBe(
        state === 'training' ? 'stopped' : 'finished',
      );
    },
  );

  it('that moves production at the moment of a promotion makes one release, and the other is refused', async () => {
    for (let turns = 0; turns < 40; turns += 2) {
      const world = await new FiringWorld(accepts).begin();
      const process = world.process();
      await process.start();
      await process.firings.judged(await world.period({}, true));
      await process.endRun();
      await process.settled();
      const period = await world.period();
      const promoted = process.firings.judged(period);
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      const by = { by: 'admin', name: 'Ada' } as const;
      const moved = process.releases.move('toy', 'production', {
        checkpoint: 'toy-2/1',
        expected: 1,
        reason: 'By hand.',
        by,
      });
      const [, own] = await Promise.allSettled([promoted, moved]);
      await process.settled();
      const { firings, releases } = await world.lasting();
      const moves = releases.filter(({ channel }) => channel === 'production');
      expect(moves).toHaveLength(2);
      if (own.status === 'fulfilled') expect([firings[0]?.outcome, moves[0]?.by]).toEqual(['overtaken', by]);
      else {
        expect(own.reason).toMatchObject({ code: 'release-conflict' });
        expect([firings[0]?.outcome, moves[0]?.checkpoint]).toEqual(['released', 'toy-2/2']);
      }
      await process.firings.stop();
    }
  });

  it('that empties the canary ends it', async () => {
    const world = await new FiringWorld(accepts).begin();
    const process = world.process();
    await process.start();
    await process.firings.judged(await world.period({}, true));
    await process.endRun();
    expect((await process.settled())?.canary).toMatchObject({ sequence: 3 });
    expect(process.firings.canaries.of('toy')).toEqual({
      secret: 'a-secret-of-a-firing',
      share: 0.2,
      sequence: 3,
      checkpoint: 'toy-2/2',
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const by = { by: 'admin', name: 'Ada' } as const;
    await process.releases.move('toy', 'canary', { checkpoint: null, expected: 3, reason: 'Enough.', by });
    expect(process.firings.canaries.of('toy')).toBeNull();
    expect(await process.settled()).toBeNull();
    expect((await world.lasting()).firings).toMatchObject([{ outcome: 'overtaken' }]);
    await process.firings.stop();
  });

  it('fires by hand whatever the verdicts say, once at a time', async () => {
    const world = await new FiringWorld({ ...accepts, policy: { ...testPolicy, trigger: null } }).begin();
    const process = world.process();
    await process.start();
    await process.firings.judged(await world.period({}, true, true));
    expect(await world.storage.firings('toy')).toEqual([]);
    const both = await Promise.allSettled([process.firings.fire('toy'), process.firings.fire('toy')]);
    expect(both).toMatchObject([
      { status: 'fulfilled', value: { sequence: 1, state: 'training', causes: [{ cause: 'by-hand' }] } },
      { status: 'rejected', reason: { code: 'firing-refused' } },
    ]);
    expect(both[0]).not.toHaveProperty('value.secret');
    await process.firings.stop();
  });

  it('cannot fire a task without a policy', async () => {
    const world = new FiringWorld(accepts);
    const process = world.process();
    await expect(process.firings.fire('toy')).rejects.toMatchObject({
      code: 'firing-refused',
      message: expect.stringContaining('no policy'),
    });
  });
});

describe('a restart', () => {
  it('looks at a period that was stored and not looked at', async () => {
    const world = await new FiringWorld(accepts).begin();
    await world.period({}, true);
    const process = world.process();
    await process.start();
    expect(await process.settled()).toMatchObject({ sequence: 1, state: 'training', period: 0 });
    await process.firings.stop();
    // Its firing has begun: no other one does.
    const other = world.process();
    await other.start();
    expect(await world.storage.firings('toy')).toHaveLength(1);
    await other.firings.stop();
  });

  it('goes on with the groups of a canary', async () => {
    const world = await new FiringWorld({ ...accepts, sums: guardSums(5, 0.1, 0.1) }).begin();
    const process = world.process();
    await process.start();
    await process.firings.judged(await world.period({}, true));
    await process.endRun();
    await process.settled();
    const running = process.firings.canaries.of('toy');
    expect(running).toMatchObject({ sequence: 3 });
    await process.firings.stop();
    const other = world.process();
    await other.start();
    expect([...other.firings.canaries.all()]).toEqual([['toy', running]]);
    await other.firings.stop();
  });

  it('is not needed where storage refused a step: it is tried again', async () => {
    const world = await new FiringWorld(accepts).begin();
    const { createRun } = world.storage;
    let refuses = true;
    world.storage.createRun = async (run) => {
      if (refuses) throw new CoppiceError('storage-full', 'The disk is full.');
      return createRun(run);
    };
    const process = world.process();
    await process.start();
    await process.firings.judged(await world.period({}, true));
    expect(await process.settled()).toMatchObject({ state: 'launching', run: null });
    expect(process.failures).toMatchObject([{ code: 'storage-full' }]);
    refuses = false;
    world.clock.advance(30_000);
    expect(await process.settled()).toMatchObject({ state: 'training', run: 'toy-2' });
    await process.firings.stop();
  });
});

it('gives a launch up that fails for as long as a round is waited for', async () => {
  const world = await new FiringWorld(accepts).begin();
  world.storage.createRun = async () => {
    throw new CoppiceError('evaluation-failed', 'It took too long.');
  };
  const process = world.process();
  await process.start();
  await process.firings.judged(await world.period({}, true));
  for (let n = 0; n < 3 * 120 - 1; n++) {
    world.clock.advance(30_000);
    expect((await process.settled())?.state).toBe('launching');
  }
  world.clock.advance(30_000);
  expect(await process.settled()).toBeNull();
  expect((await world.storage.firings('toy'))[0]).toMatchObject({ outcome: 'run-ended', run: null });
  await process.firings.stop();
});

it('stops the run of a launch that was given up', async () => {
  const world = await new FiringWorld(accepts).begin();
  const { putRun } = world.storage;
  let refuses = true;
  world.storage.putRun = async (run) => {
    if (refuses) throw new CoppiceError('storage-full', 'The disk is full.');
    return putRun(run);
  };
  const process = world.process();
  await process.start();
  await process.firings.judged(await world.period({}, true));
  expect((await process.settled())?.state).toBe('launching');
  world.clock.jump(3 * HOUR);
  world.clock.advance(30_000);
  await process.settled();
  refuses = false;
  world.clock.advance(30_000);
  expect(await process.settled()).toBeNull();
  const { firings, runs } = await world.lasting();
  expect([firings[0]?.outcome, runs[1]?.status, runs[1]?.reason?.code]).toEqual([
    'run-ended',
    'stopped',
    'run-given-up',
  ]);
  await process.firings.stop();
});

describe('a trigger', () => {
  /** A process that looks at periods one after another. */
  async function watching(script: Script) {
    const world = await new FiringWorld(script).begin();
    const process = world.process();
    await process.start();
    const see = async (alarm: boolean, more: { quality?: boolean; observations?: number } = {}) => {
      const verdict = { ...verdictOf(alarm, more.quality), observations: more.observations ?? 400 };
      await process.firings.judged(await world.period({ verdict }));
      await process.settled();
      await process.endRun();
      return process.settled();
    };
    const count = async () => (await world.storage.firings('toy')).length;
    return { world, process, see, count };
  }

  it('launches nothing while data are broken, and says so once', async () => {
    const { world, process, see, count } = await watching(accepts);
    for (let n = 0; n < 3; n++) await see(true, { quality: true });
    expect(await count()).toBe(0);
    expect(world.events).toMatchObject([
      {
        kind: 'launch-hindered',
        level: 'warning',
        data: { causes: ['drift'], hindrances: ['data-quality'] },
      },
    ]);
    await see(false);
    await see(true, { quality: true });
    expect(world.events).toHaveLength(2);
    await see(true);
    expect(await count()).toBe(1);
    await process.firings.stop();
  });

  it('decides by verdicts on the model in production, not by those on the one before', async () => {
    const floor = { error: 0.1, raise: 1 };
    const { world, process, see, count } = await watching(withTrigger({ ...noDrift, coolDown: 1, floor }));
    for (let n = 0; n < 2; n++) await see(false);
    expect((await world.lasting()).firings).toMatchObject([{ outcome: 'released', period: 0 }]);
    // A period of few reports, and one of the model before that ends late.
    await process.firings.judged(await world.period({ sums: null, verdict: null }));
    await process.firings.judged(await world.period({ release: 1 }));
    expect(await count()).toBe(1);
    await see(false);
    expect(await count()).toBe(2);
    await process.firings.stop();
  });

  it.each(['paused', 'nobody'] as const)(
    'waits twice as long after each run that came to nothing: %s',
    async (run) => {
      const { world, process, see } = await watching({ ...accepts, run });
      for (let n = 0; n < 20; n++) await see(true);
      const periods = (await world.storage.firings('toy')).map(({ period }) => period).reverse();
      // A cool-down of two periods: 4, then 8, then 16.
      expect(periods).toEqual([0, 4, 12]);
      await process.firings.stop();
    },
  );

  it('tries no other candidate without new data', async () => {
    const { process, see, count } = await watching({ ...accepts, compare: () => comparedAs(false) });
    await see(true);
    for (let n = 0; n < 6; n++) await see(true, { observations: 0 });
    expect(await count()).toBe(1);
    await see(true, { observations: 1 });
    expect(await count()).toBe(2);
    await process.firings.stop();
  });

  it('spends the error of a quarter over all candidates of it', async () => {
    const { world, process, see } = await watching({ ...accepts, compare: () => comparedAs(false) });
    for (let n = 0; n < 14; n++) await see(true);
    const placed = async () =>
      (await world.storage.firings('toy')).map(({ comparison }) => comparison?.candidate).reverse();
    const before = await placed();
    expect(before).toEqual([1, 2, 3].slice(0, before.length));
    expect(before.length).toBeGreaterThan(1);
    world.clock.advance(92 * 24 * HOUR);
    await see(true);
    for (let n = 0; n < 20; n++) await see(true);
    expect((await placed()).slice(before.length)[0]).toBe(1);
    await process.firings.stop();
  });

  it('launches no more than its budget has', async () => {
    const budget = { ...trigger.budget, periods: 100, bytes: 100 };
    const { world, process, see, count } = await watching(
      withTrigger({ budget }, { ...accepts, compare: () => comparedAs(false) }),
    );
    // Each launch costs 80 bytes.
    for (let n = 0; n < 12; n++) await see(true);
    expect(await count()).toBe(1);
    expect(world.events.filter(({ kind }) => kind === 'launch-hindered').at(-1)).toMatchObject({
      data: { hindrances: ['budget'] },
    });
    await expect(process.firings.fire('toy')).rejects.toMatchObject({
      code: 'firing-refused',
      message: expect.stringContaining('the budget of bytes has 20 left, and a launch costs 80'),
    });
    await process.firings.stop();
  });

  it('counts new examples since the last launch', async () => {
    const { world, process, see } = await watching(
      withTrigger({ ...noDrift, newExamples: 1000 }, { ...accepts, compare: () => comparedAs(false) }),
    );
    for (let n = 0; n < 9; n++) await see(false);
    const firings = (await world.storage.firings('toy')).reverse();
    expect(firings.map(({ period }) => period)).toEqual([2, 6]);
    expect(firings[0]?.causes).toEqual([{ cause: 'new-examples', examples: 1200 }]);
    await process.firings.stop();
  });

  it('fires at the due time of its schedule, also of one that a restart missed', async () => {
    // The world begins at 8:53:20 in UTC.
    const script = withTrigger({ ...noDrift, schedule: '0 12 * * *' }, { ...accepts, run: 'stopped' });
    const { world, process, count } = await watching(script);
    world.clock.advance(3 * HOUR);
    await process.settled();
    expect(await count()).toBe(0);
    world.clock.advance(HOUR);
    expect(await process.settled()).toMatchObject({
      period: null,
      causes: [{ cause: 'schedule', due: Date.UTC(2025, 9, 9, 12) }],
    });
    await process.endRun();
    await process.settled();
    await process.firings.stop();
    world.clock.advance(24 * HOUR);
    await world.period();
    expect(await count()).toBe(1);
    for (let n = 0; n < 8; n++) await world.period();
    const other = world.process();
    await other.start();
    world.clock.advance(HOUR);
    await other.settled();
    expect(await count()).toBe(2);
    await other.firings.stop();
  });

  it('fires by its schedule where no reports come, as often as its cool-down allows', async () => {
    const script = withTrigger(
      { ...noDrift, schedule: '0 * * * *', coolDown: 3 },
      { ...accepts, run: 'stopped' },
    );
    const { world, process } = await watching(script);
    for (let n = 0; n < 30; n++) {
      world.clock.advance(HOUR);
      await process.settled();
      await process.endRun();
      await process.settled();
    }
    const hours = (await world.storage.firings('toy')).map(({ at }) => at / HOUR).reverse();
    // Each failure doubles the three hours.
    expect(hours.map((hour) => Math.round(hour - (hours[0] as number)))).toEqual([0, 6, 18]);
    await process.firings.stop();
  });

  it('looks at a schedule while a firing goes on, and goes on itself', async () => {
    const script = withTrigger({ ...noDrift, schedule: '0 * * * *', stall: 100 }, accepts);
    const { world, process, count } = await watching(script);
    world.clock.advance(HOUR);
    await process.settled();
    expect(await count()).toBe(1);
    for (let n = 0; n < 5; n++) {
      world.clock.advance(HOUR);
      await process.settled();
    }
    expect(await count()).toBe(1);
    await process.firings.stop();
  });
});

it('keeps numbers of participants whole, whatever noise does to the sums', async () => {
  const noisy = { 'guard-present': [-1.5, 0.25], 'guard-errors': [0.5, -2], 'guard-squares': [-3, 1] };
  const { lasting } = await undisturbed({ ...accepts, sums: noisy });
  expect(lasting.firings).toMatchObject([
    { outcome: 'rolled-back', canary: { participants: { canary: 0, control: 0 } } },
  ]);
});

it('takes devices that are missing from a canary for silent ones as far as noise does not explain it', async () => {
  const reasons = async (noise: number) => {
    const world = await new FiringWorld({ ...accepts, sums: unequal }).begin();
    const process = world.process();
    await process.start();
    await process.firings.judged(await world.period({}, true));
    await process.endRun();
    await process.settled();
    await process.firings.judged(await world.period({ noise }));
    await process.firings.stop();
    return (await world.storage.firings('toy'))[0]?.canary?.reasons;
  };
  const fewer = expect.objectContaining({ hindrance: 'fewer-participants', canary: 10, control: 30 });
  // A difference of 20 less 1, of variance 40 and twice that of the noise: 2.69 and 1.34 standard deviations.
  expect(await reasons(0)).toContainEqual(fewer);
  expect(await reasons(5)).toContainEqual(fewer);
  expect(await reasons(80)).not.toContainEqual(fewer);
});

describe('a run that nobody joins', () => {
  /** A firing that trains, and what became of it after some time. */
  async function training(change: Partial<Policy> = {}) {
    const world = await new FiringWorld({
      ...accepts,
      run: 'nobody',
      policy: { ...testPolicy, ...change },
    }).begin();
    const process = world.process();
    await process.start();
    await process.firings.judged(await world.period({}, true));
    const { run } = (await process.settled()) as StoredFiring;
    const after = async (milliseconds: number, by = process) => {
      world.clock.advance(milliseconds);
      await by.settled();
      return (await world.storage.firings('toy'))[0]?.outcome ?? null;
    };
    return { world, process, run: run as string, after };
  }

  it('is stopped after three periods to the millisecond, and says why', async () => {
    const { world, process, run, after } = await training();
    expect(await after(3 * HOUR - 1)).toBeNull();
    expect(await after(1)).toBe('run-stalled');
    const stopped = (await world.storage.runs()).find(({ id }) => id === run);
    expect(stopped).toMatchObject({
      status: 'stopped',
      reason: { code: 'run-given-up', message: expect.stringContaining('no round') },
    });
    await process.firings.stop();
  });

  it('is waited for as long as the trigger says, and an hour at least', async () => {
    const patient = await training({ trigger: { ...trigger, stall: 20 } });
    expect(await patient.after(20 * HOUR - 1)).toBeNull();
    expect(await patient.after(1)).toBe('run-stalled');
    await patient.process.firings.stop();
    const short = await training({ periodMilliseconds: 1000 });
    expect(await short.after(HOUR - 1)).toBeNull();
    expect(await short.after(1)).toBe('run-stalled');
    await short.process.firings.stop();
  });

  it('is waited for anew after each round', async () => {
    const { process, run, after } = await training();
    await after(2 * HOUR);
    await process.commitRound(run);
    expect(await after(3 * HOUR - 1)).toBeNull();
    expect(await after(1)).toBe('run-stalled');
    await process.firings.stop();
  });

  it('has an hour after a restart, however long the coordinator was down', async () => {
    const { world, process, after } = await training();
    await process.firings.stop();
    world.clock.advance(50 * HOUR);
    const other = world.process();
    await other.start();
    expect(await after(HOUR - 1, other)).toBeNull();
    expect(await after(1, other)).toBe('run-stalled');
    await other.firings.stop();
  });

  it('is not waited for while an admin has paused it, also through a restart', async () => {
    const { world, process, run, after } = await training();
    await after(2 * HOUR);
    await process.change(run, 'paused');
    expect(await after(50 * HOUR)).toBeNull();
    await process.firings.stop();
    const other = world.process();
    await other.start();
    expect(await after(50 * HOUR, other)).toBeNull();
    await other.change(run, 'running');
    await other.settled();
    expect(await after(3 * HOUR - 1, other)).toBeNull();
    expect(await after(1, other)).toBe('run-stalled');
    await other.firings.stop();
  });

  it('is waited for from now on where the date is set back', async () => {
    const { world, process, after } = await training();
    world.clock.jump(-1000 * HOUR);
    expect(await after(3 * HOUR)).toBeNull();
    expect(await after(3 * HOUR)).toBe('run-stalled');
    await process.firings.stop();
  });
});

it('ends a canary by the time alone where no reports come any more', async () => {
  const world = await new FiringWorld(accepts).begin();
  const process = world.process();
  await process.start();
  await process.firings.judged(await world.period({}, true));
  await process.endRun();
  expect((await process.settled())?.state).toBe('canary');
  for (let n = 0; n < 6; n++) {
    world.clock.advance(HOUR);
    await process.settled();
  }
  const [firing] = await world.storage.firings('toy');
  expect(firing).toMatchObject({ outcome: 'rolled-back', canary: { decision: 'roll-back' } });
  await process.firings.stop();
});
