import {
  type Binning,
  comparisonEvidence,
  comparisonLayout,
  identityOf,
  layoutOf,
  Monitor,
  OwnStatistics,
  type ReportKind,
  refuses,
  reportLayout,
  summarise,
} from '@coppice/continuity';
import { decodeMeasures } from '@coppice/federation';
import {
  CoppiceError,
  contributionHash,
  contributionSize,
  decodeFrame,
  frameBytes,
  type ReleaseNews,
  type Reply,
  recipeHash,
  type TaskAsk,
  type Up,
  type UpValue,
  type WireError,
} from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { welcome } from './contract.ts';
import { memoryData } from './memory-data.ts';
import { scripted, until, world } from './session-world.ts';
import { memoryInputs } from './watch/memory-inputs.ts';
import { memoryMonitors } from './watch/memory-monitors.ts';
import { binningOf, MINIMUM, madeUpTasks, RELEASED, sent, toy, watchOf } from './watch/watched.testing.ts';

/* A device that watches its predictions: it offers, counts, and answers a task's questions. */

const reference = binningOf(0);
const { consent } = watchOf(reference);
const given = { consent: consent as string };
const canaryHash = 'c2'.repeat(32);

/** A question of the task. */
function question(period: number, change: Partial<TaskAsk> = {}): TaskAsk {
  return {
    task: toy.id,
    kind: 'report',
    ticket: `report-${period}.seal`,
    period,
    remaining: 1000,
    reference: identityOf(reference),
    models: [],
    since: null,
    ...change,
  };
}

/** The numbers of an answer, after the coordinator's own checks. */
function numbersOf(
  { frame }: Up<'answer'>,
  binning: Binning = reference,
  kind: ReportKind = 'report',
): Float32Array {
  const layout = layoutOf(kind, binning, identityOf(binning));
  const parameters = contributionSize(layout);
  const { payload } = decodeFrame(frameBytes(frame), {
    kind: 'contribution',
    codec: 'float32',
    layoutHash: contributionHash(layout),
    parameters,
    bytes: () => 4 * parameters,
  });
  const numbers = new Float32Array(payload.slice().buffer);
  const report = { recipe: binning.recipe, identity: identityOf(binning), numbers };
  expect(refuses(report, binning, identityOf(binning), MINIMUM, kind)).toBeNull();
  return numbers;
}

/** The numbers of an answer by tensor. */
function tensorsOf(answer: Up<'answer'>): Readonly<Record<string, number[]>> {
  const numbers = numbersOf(answer);
  const tensors: Record<string, number[]> = {};
  let at = 0;
  for (const { name, shape } of reportLayout(reference, identityOf(reference))) {
    const size = shape[0] ?? 1;
    tensors[name] = [...numbers.subarray(at, at + size)];
    at += size;
  }
  return tensors;
}

/** The report of predictions of these inputs, counted by a monitor alone. */
function reportOf(inputs: readonly number[], binning = reference): Float32Array {
  const monitor = new Monitor(binning, identityOf(binning));
  for (const x of inputs) monitor.observe({ columns: [x], prediction: 2 * x });
  return summarise(monitor.state(), binning, MINIMUM) as Float32Array;
}

type Answered = Reply<UpValue<'answer'>>;
const taken: Answered = { ok: true, value: { duplicate: false, next: null } };
const refusedWith = (code: WireError['code']): Answered => ({ ok: false, error: { code, message: 'No.' } });

async function monitoring(options: Partial<Parameters<typeof world>[0]> = {}) {
  const source = madeUpTasks(watchOf(reference));
  const kept = memoryMonitors();
  const inputs = memoryInputs();
  const w = await world({ monitoring: { source, kept, inputs }, ...options });
  const offers: Up<'monitor'>[] = [];
  const answers: Up<'answer'>[] = [];
  const script = {
    offer: (): Reply<UpValue<'monitor'>> => ({ ok: true, value: { watched: true } }),
    answer: (): Answered | Promise<Answered> => taken,
  };
  w.peer.answer('monitor', (message) => {
    offers.push(message);
    return script.offer();
  });
  w.peer.answer('answer', (message) => {
    answers.push(message);
    return script.answer();
  });
  const online = async (releases: readonly ReleaseNews[] = []) => {
    w.peer.welcome({ ...welcome, releases: [...releases] });
    await until(w.session, ({ connection }) => connection === 'online');
  };
  /** Predictions of these inputs by the released model. */
  const predict = (inputs: readonly number[], hash = RELEASED) => {
    for (const x of inputs)
      w.session.observe(toy.id, {
        hash,
        example: Float32Array.of(x),
        output: [2 * x],
        id: `p${x}`,
      });
  };
  const shows = (reached: (state: (typeof w.session.state.monitored)[string]) => boolean) =>
    until(w.session, ({ monitored }) => {
      const state = monitored[toy.id];
      return state !== undefined && reached(state);
    });
  return { ...w, source, kept, inputs, offers, answers, script, online, predict, shows };
}

/** Resolves once all that was begun without waiting is done. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('an offer', () => {
  it('names consent, recipe and invitation, and is made again on each connection', async () => {
    const { session, peer, offers, online, shows } = await monitoring();
    await online();
    await session.monitor(toy.id, { ...given, invitation: 'let-me-in' });
    const claim = { task: toy.id, consent, recipe: recipeHash(toy.data) };
    expect(offers).toEqual([{ ...claim, invitation: 'let-me-in' }]);
    expect(session.state.monitored[toy.id]).toMatchObject({
      offered: true,
      watched: true,
      pass: null,
      error: null,
    });
    peer.drop();
    await online();
    await shows(({ offered }) => offered);
    // Once it was accepted, the invitation is known.
    expect(offers[1]).toEqual(claim);
  });

  it('is not made again for the same consent', async () => {
    const { session, offers, online, predict, clock } = await monitoring();
    await online();
    await session.monitor(toy.id, given);
    predict([1, 2]);
    await session.monitor(toy.id, given);
    clock.advance(5000);
    await settled();
    expect(offers).toHaveLength(1);
    expect(session.state.monitored[toy.id]).toMatchObject({ offered: true, observations: 2 });
  });

  it('waits for a connection', async () => {
    const { session, offers, online, shows } = await monitoring();
    await session.monitor(toy.id, given);
    expect(offers).toEqual([]);
    await online();
    await shows(({ offered }) => offered);
    expect(offers).toHaveLength(1);
  });

  it('is made once where the connection comes while it is being prepared', async () => {
    const { session, peer, source, offers, online, shows } = await monitoring();
    const { promise: known, resolve } = Promise.withResolvers<typeof toy>();
    source.task = () => known;
    const monitored = session.monitor(toy.id, given);
    await online();
    resolve(toy);
    await monitored;
    await settled();
    expect(offers).toHaveLength(1);
    // One that the connection took with it is made on the next.
    const { promise: sent, resolve: send } = Promise.withResolvers<void>();
    peer.answer('monitor', (message) => {
      offers.push(message);
      if (offers.length > 2) return { ok: true, value: { watched: true } };
      send();
      return new Promise<never>(() => {});
    });
    peer.drop();
    await online();
    await sent;
    peer.drop();
    await online();
    await shows(({ offered }) => offered);
    expect(offers).toHaveLength(3);
  });

  it('that is refused for an outdated consent is shown, and nothing more is sent', async () => {
    const { session, peer, offers, answers, script, online, predict } = await monitoring();
    script.offer = () => ({ ok: false, error: { code: 'consent-outdated', message: 'Ask again.' } });
    await online();
    await expect(session.monitor(toy.id, given)).rejects.toMatchObject({ code: 'consent-outdated' });
    expect(session.state.monitored[toy.id]?.error?.code).toBe('consent-outdated');
    peer.drop();
    await online();
    predict([1, 2, 3, 4]);
    peer.push('ask', question(1));
    await settled();
    expect(offers).toHaveLength(1);
    expect(answers).toEqual([]);
    // With the consent to what is reported now it begins again.
    script.offer = () => ({ ok: true, value: { watched: true } });
    await session.monitor(toy.id, given);
    expect(session.state.monitored[toy.id]).toMatchObject({ offered: true, error: null });
  });

  it('ends where the coordinator asks for something else by now', async () => {
    const { session, peer, answers, online, predict, shows } = await monitoring();
    await online();
    await session.monitor(toy.id, given);
    peer.push('notice', { task: toy.id, code: 'consent-outdated', message: 'Ask again.' });
    await shows(({ error }) => error?.code === 'consent-outdated');
    expect(session.state).toMatchObject({ error: null, monitored: { toy: { offered: false } } });
    predict([1, 2, 3]);
    peer.push('ask', question(1));
    await settled();
    expect(answers).toEqual([]);
  });

  it('is refused by a session that was made without monitoring', async () => {
    const { session } = await world();
    await expect(session.monitor(toy.id, given)).rejects.toThrow('without monitoring');
  });
});

describe('a report', () => {
  it('tells what was counted, and begins anew once it is acknowledged', async () => {
    const { session, peer, answers, online, predict, shows } = await monitoring();
    await online();
    await session.monitor(toy.id, given);
    predict([-1, 1, 2, 3]);
    peer.push('ask', question(7));
    await shows(({ reported }) => reported === 7);
    predict([-3, -2, -1]);
    peer.push('ask', question(8));
    await shows(({ reported }) => reported === 8);
    expect(answers.map(({ task, ticket, weight }) => ({ task, ticket, weight }))).toEqual([
      { task: 'toy', ticket: 'report-7.seal', weight: 1 },
      { task: 'toy', ticket: 'report-8.seal', weight: 1 },
    ]);
    expect(answers.map((answer) => numbersOf(answer))).toEqual([
      reportOf([-1, 1, 2, 3]),
      reportOf([-3, -2, -1]),
    ]);
  });

  it('of fewer predictions than the minimum is not made, and counting goes on', async () => {
    const { session, peer, answers, online, predict, shows } = await monitoring();
    await online();
    await session.monitor(toy.id, given);
    predict([1, 2]);
    peer.push('ask', question(1));
    await shows(({ withheld }) => withheld === 1);
    expect(answers).toEqual([]);
    predict([3]);
    peer.push('ask', question(2));
    await shows(({ reported }) => reported === 2);
    expect(session.state.monitored[toy.id]).toMatchObject({ answered: 1, withheld: 1 });
    expect(answers.map((answer) => numbersOf(answer))).toEqual([reportOf([1, 2, 3])]);
  });

  it('counts the predictions of the watched release alone', async () => {
    const { session, peer, answers, online, predict, shows } = await monitoring();
    await online();
    await session.monitor(toy.id, given);
    predict([5, 6, 7], 'b2'.repeat(32));
    predict([1, 2, 3]);
    predict([Number.NaN]);
    peer.push('ask', question(1));
    await shows(({ reported }) => reported === 1);
    expect(answers.map((answer) => numbersOf(answer))).toEqual([reportOf([1, 2, 3])]);
  });

  it('is made once a period, also where the coordinator asks again', async () => {
    const { session, peer, answers, online, predict, shows } = await monitoring();
    await online();
    await session.monitor(toy.id, given);
    predict([1, 2, 3]);
    peer.push('ask', question(1));
    await shows(({ reported }) => reported === 1);
    predict([4, 5, 6]);
    peer.push('ask', question(1));
    await settled();
    expect(answers).toHaveLength(1);
  });

  it('is the same one where its acknowledgement was lost and the period asks again', async () => {
    const { session, peer, answers, script, online, predict, shows } = await monitoring();
    await online();
    await session.monitor(toy.id, given);
    predict([1, 2, 3]);
    const { promise: sent, resolve } = Promise.withResolvers<void>();
    script.answer = () => {
      resolve();
      return new Promise<never>(() => {});
    };
    peer.push('ask', question(1));
    await sent;
    peer.drop();
    predict([4, 5, 6]);
    script.answer = () => ({ ok: true, value: { duplicate: true, next: null } });
    await online();
    peer.push('ask', question(1));
    await shows(({ reported }) => reported === 1);
    script.answer = () => taken;
    peer.push('ask', question(2));
    await shows(({ reported }) => reported === 2);
    expect(answers.map((answer) => numbersOf(answer))).toEqual([
      reportOf([1, 2, 3]),
      reportOf([1, 2, 3]),
      reportOf([4, 5, 6]),
    ]);
  });

  it('puts no prediction in two reports where the coordinator does not ask again', async () => {
    const { session, peer, answers, script, online, predict, shows } = await monitoring();
    await online();
    await session.monitor(toy.id, given);
    predict([1, 2, 3]);
    const { promise: sent, resolve } = Promise.withResolvers<void>();
    script.answer = () => {
      resolve();
      return new Promise<never>(() => {});
    };
    peer.push('ask', question(1));
    await sent;
    peer.drop();
    script.answer = () => taken;
    predict([-4, -5, -6]);
    await online();
    peer.push('ask', question(2));
    await shows(({ reported }) => reported === 2);
    expect(numbersOf(answers[1] as Up<'answer'>)).toEqual(reportOf([-4, -5, -6]));
  });

  it('that is refused counts with the next', async () => {
    const { session, peer, answers, script, online, predict, shows } = await monitoring();
    await online();
    await session.monitor(toy.id, given);
    predict([1, 2, 3]);
    script.answer = () => refusedWith('update-late');
    peer.push('ask', question(1));
    await shows(({ error }) => error?.code === 'update-late');
    script.answer = () => taken;
    predict([-1]);
    peer.push('ask', question(2));
    await shows(({ reported }) => reported === 2);
    expect(numbersOf(answers[1] as Up<'answer'>)).toEqual(reportOf([1, 2, 3, -1]));
    expect(session.state.monitored[toy.id]?.error).toBeNull();
  });

  it('of a page that was closed for a month is one, of what it has', async () => {
    const before = await monitoring();
    await before.online();
    await before.session.monitor(toy.id, given);
    before.predict([1, 2]);
    await before.session.save();
    before.session.close();
    const { kept, inputs } = before;
    const source = madeUpTasks(watchOf(reference));
    const after = await monitoring({ monitoring: { source, kept, inputs } });
    await after.online();
    await after.session.monitor(toy.id, given);
    after.predict([-1]);
    after.peer.push('ask', question(31));
    await after.shows(({ reported }) => reported === 31);
    expect(after.answers.map((answer) => numbersOf(answer))).toEqual([reportOf([1, 2, -1])]);
  });

  it('does not depend on the clock of the device', async () => {
    const { session, peer, clock, answers, online, predict, shows } = await monitoring();
    await online();
    await session.monitor(toy.id, given);
    for (const period of [1, 2]) {
      predict([1, 2, 3]);
      clock.jump(period === 1 ? -4e12 : 9e12);
      peer.push('ask', question(period));
      await shows(({ reported }) => reported === period);
    }
    expect(answers.map((answer) => numbersOf(answer))).toEqual([reportOf([1, 2, 3]), reportOf([1, 2, 3])]);
  });
});

describe('a changed watch', () => {
  it('with another reference counts anew', async () => {
    const { session, peer, source, answers, online, predict, shows } = await monitoring();
    await online();
    await session.monitor(toy.id, given);
    predict([1, 2, 3, 4]);
    const next = binningOf(10);
    source.info = watchOf(next);
    peer.push('ask', question(1, { reference: identityOf(next) }));
    await shows(({ info }) => info?.reference?.identity === identityOf(next));
    await settled();
    expect(answers).toEqual([]);
    predict([9, 10, 11]);
    peer.push('ask', question(2, { reference: identityOf(next) }));
    await shows(({ reported }) => reported === 2);
    expect(answers.map((answer) => numbersOf(answer, next))).toEqual([reportOf([9, 10, 11], next)]);
  });

  it('that reports more often than was agreed to is not answered', async () => {
    const { session, peer, source, answers, online, predict, shows } = await monitoring();
    await online();
    await session.monitor(toy.id, given);
    const next = binningOf(1);
    // The consent that the coordinator names is the one that was given; what it asks for is not.
    source.info = { ...watchOf(next, { periodMilliseconds: 60_000 }), consent };
    peer.push('ask', question(1, { reference: identityOf(next) }));
    await shows(({ info }) => info?.periodMilliseconds === 60_000);
    predict([1, 2, 3, 4]);
    peer.push('ask', question(2, { reference: identityOf(next) }));
    await shows(({ error }) => error?.code === 'consent-outdated');
    expect(answers).toEqual([]);
  });

  it('whose bins are not those of its hash is not counted', async () => {
    const { session, peer, source, answers, online, predict, shows } = await monitoring();
    await online();
    await session.monitor(toy.id, given);
    predict([1, 2, 3]);
    const claimed = identityOf(binningOf(3));
    source.info = { ...watchOf(reference), reference: { identity: claimed, binning: sent(reference) } };
    peer.push('ask', question(1, { reference: claimed }));
    await shows(({ error }) => error?.code === 'message-invalid');
    expect(answers).toEqual([]);
  });

  it('is asked for again where the coordinator cannot be reached, and given up in the end', async () => {
    const { session, peer, source, clock, answers, online, shows } = await monitoring();
    await online();
    await session.monitor(toy.id, given);
    source.down = true;
    const before = source.asked.watch;
    peer.push('ask', question(1, { reference: identityOf(binningOf(5)) }));
    await expect.poll(() => source.asked.watch).toBe(before + 1);
    clock.advance(1000);
    await expect.poll(() => source.asked.watch).toBe(before + 2);
    clock.advance(2000);
    await expect.poll(() => source.asked.watch).toBe(before + 3);
    source.down = false;
    source.info = watchOf(binningOf(6));
    peer.push('ask', question(2, { reference: identityOf(binningOf(6)) }));
    await shows(({ info }) => info?.reference?.identity === identityOf(binningOf(6)));
    expect(answers).toEqual([]);
  });

  it('may be asked about before it is to be read', async () => {
    const { session, peer, source, clock, answers, online, predict, shows } = await monitoring();
    await online();
    await session.monitor(toy.id, given);
    const next = binningOf(10);
    const asked = source.asked.watch;
    peer.push('ask', question(1, { reference: identityOf(next) }));
    await expect.poll(() => source.asked.watch).toBe(asked + 1);
    await settled();
    source.info = watchOf(next);
    clock.advance(1000);
    await shows(({ info }) => info?.reference?.identity === identityOf(next));
    await settled();
    predict([9, 10, 11]);
    peer.push('ask', question(2, { reference: identityOf(next) }));
    await shows(({ reported }) => reported === 2);
    expect(answers).toHaveLength(1);
  });

  it('of a newer coordinator, with a kind of question that is unknown, is not answered', async () => {
    const { session, peer, answers, online, predict, shows } = await monitoring();
    await online();
    await session.monitor(toy.id, given);
    predict([1, 2, 3]);
    peer.push('ask', question(1, { kind: 'horoscope' }));
    peer.push('ask', question(2));
    await shows(({ reported }) => reported === 2);
    expect(answers).toHaveLength(1);
  });
});

describe('outcomes', () => {
  it('are counted once, hours later, and of known predictions alone', async () => {
    const { session, peer, answers, online, predict, shows } = await monitoring();
    await online();
    await session.monitor(toy.id, given);
    predict([1, 2, 3]);
    // Predicted were 2, 4 and 6: errors of 0, 0.5 and, at most, 1.
    expect(await session.outcome(toy.id, 'p1', 2)).toBe(true);
    expect(await session.outcome(toy.id, 'p2', 4.5)).toBe(true);
    expect(await session.outcome(toy.id, 'p3', 60)).toBe(true);
    expect(await session.outcome(toy.id, 'p3', 6)).toBe(false);
    expect(await session.outcome(toy.id, 'unknown', 6)).toBe(false);
    expect(await session.outcome('another-task', 'p1', 6)).toBe(false);
    await expect(session.outcome(toy.id, 'p1', Number.NaN)).rejects.toMatchObject({ code: 'data-invalid' });
    peer.push('ask', question(1));
    await shows(({ reported }) => reported === 1);
    const { labelled, errors } = tensorsOf(answers[0] as Up<'answer'>);
    expect(labelled).toEqual([1]);
    expect(errors?.[0]).toBeCloseTo(0.5, 5);
  });
});

describe('a canary', () => {
  const news = (arm: string): ReleaseNews => ({
    task: toy.id,
    production: { sequence: 1, checkpoint: 'toy-1/1', hash: RELEASED },
    canary: { sequence: 2, checkpoint: 'toy-2/1', hash: canaryHash, arm },
  });

  it.each([
    ['canary', canaryHash, [1, 0]],
    ['control', RELEASED, [0, 1]],
  ] as const)('has the errors of its arm: %s', async (arm, hash, present) => {
    const { session, peer, answers, online, predict, shows } = await monitoring();
    await online([news(arm)]);
    expect(session.state.releases[toy.id]).toEqual(news(arm));
    await session.monitor(toy.id, given);
    predict([1, 2, 3], hash);
    for (const x of [1, 2, 3]) await session.outcome(toy.id, `p${x}`, 2 * x + 1);
    peer.push('ask', question(1));
    await shows(({ reported }) => reported === 1);
    const tensors = tensorsOf(answers[0] as Up<'answer'>);
    expect(tensors['guard-present']).toEqual(present);
    expect(tensors['guard-errors']).toEqual(present);
  });

  it('counts no prediction of the other arm, and none after its end', async () => {
    const { session, peer, answers, online, predict, shows } = await monitoring();
    await online([news('control')]);
    await session.monitor(toy.id, given);
    predict([1, 2, 3, 4], canaryHash);
    peer.push('release', { ...news('control'), canary: null });
    expect(session.state.releases[toy.id]?.canary).toBeNull();
    predict([-1, -2, -3]);
    for (const x of [-1, -2, -3]) await session.outcome(toy.id, `p${x}`, 2 * x);
    peer.push('ask', question(1));
    await shows(({ reported }) => reported === 1);
    expect(tensorsOf(answers[0] as Up<'answer'>)['guard-present']).toEqual([0, 0]);
  });

  it('is forgotten with a connection that does not tell of it', async () => {
    const { session, peer, online } = await monitoring();
    await online([news('canary')]);
    peer.drop();
    await online();
    expect(session.state.releases).toEqual({});
  });
});

describe('statistics', () => {
  /** Four examples, 1 to 4, of which the last two are from a later day. */
  const data = async (_task: string, schema: Parameters<typeof memoryData>[0]) => {
    let now = 1000;
    let next = 1;
    const opened = memoryData(schema, undefined, {
      random: { uint32: () => next++ } as never,
      now: () => now,
    });
    const add = (...values: number[]) =>
      opened.add(
        {
          count: values.length,
          features: Float32Array.from(values),
          labels: Float32Array.from(values, (value) => 10 * value),
        },
        'csv',
      );
    await add(-1, -2, 3, 4);
    now = 2000;
    await add(5, 6, -7);
    return opened;
  };
  /** A model that predicts twice its input. */
  const twice = () => ({
    ...scripted(),
    predictWithFeatures: async (xs: ArrayLike<number>) => ({
      outputs: Float32Array.from(xs, (x) => 2 * x),
      features: null,
    }),
  });
  const models = [{ role: 'production', checkpoint: 'toy-1/1', hash: RELEASED }];

  it.each([
    [null, [-1, -2, 3, 4, 5, 6, -7]],
    [1500, [5, 6, -7]],
  ])('are of the own examples, as the model predicts them, since %s', async (since, counted) => {
    const { session, peer, answers, online } = await monitoring({ openData: data, trainer: twice() });
    await online();
    await session.monitor(toy.id, given);
    peer.push('ask', question(0, { kind: 'statistics', ticket: 'statistics-0.seal', models, since }));
    await expect.poll(() => answers.length).toBe(1);
    const statistics = new OwnStatistics(reference, identityOf(reference));
    for (const x of counted) statistics.observe({ columns: [x], prediction: 2 * x }, 10 * x);
    const numbers = numbersOf(answers[0] as Up<'answer'>, reference, 'statistics');
    expect(numbers).toEqual(statistics.numbers(MINIMUM));
    expect(numbers.subarray(0, reportOf(counted).length)).toEqual(reportOf(counted));
  });

  it('of too few examples are not sent', async () => {
    const { session, peer, answers, online, predict, shows } = await monitoring({
      openData: data,
      trainer: twice(),
    });
    await online();
    await session.monitor(toy.id, given);
    peer.push('ask', question(0, { kind: 'statistics', models, since: 2500 }));
    predict([1, 2, 3]);
    peer.push('ask', question(1));
    await shows(({ reported }) => reported === 1);
    expect(session.state.monitored[toy.id]).toMatchObject({ answered: 1, withheld: 1 });
    expect(answers).toHaveLength(1);
  });

  it('of a model that cannot be had are not sent, and the reason is shown', async () => {
    const { session, peer, source, answers, online, shows } = await monitoring({ openData: data });
    source.model = async () => {
      throw new CoppiceError('run-not-admitted', 'This model is of a run that is not open.');
    };
    await online();
    await session.monitor(toy.id, given);
    peer.push('ask', question(0, { kind: 'statistics', models }));
    await shows(({ error }) => error !== null);
    expect(answers).toEqual([]);
  });
});

describe('what is kept', () => {
  it('is written seconds after a prediction, not with each, and when it is asked for', async () => {
    const { session, kept, clock, online, predict } = await monitoring();
    let writes = 0;
    const put = kept.put;
    kept.put = async (...args) => {
      writes++;
      await put(...args);
    };
    await online();
    await session.monitor(toy.id, given);
    await settled();
    const before = writes;
    predict([1, 2, 3, 4, 5]);
    await settled();
    expect(writes).toBe(before);
    clock.advance(5000);
    await settled();
    expect(writes).toBe(before + 1);
    expect(session.state.monitored[toy.id]?.observations).toBe(5);
    predict([6]);
    await session.save();
    expect(writes).toBe(before + 2);
    clock.advance(60_000);
    await settled();
    expect(writes).toBe(before + 2);
  });

  it('lets a device without the coordinator count on', async () => {
    const before = await monitoring();
    await before.online();
    await before.session.monitor(toy.id, given);
    before.predict([1]);
    await before.session.save();
    const source = madeUpTasks(watchOf(reference));
    source.down = true;
    const after = await monitoring({ monitoring: { source, kept: before.kept, inputs: memoryInputs() } });
    await after.session.monitor(toy.id, given);
    after.predict([2, 3]);
    expect(await after.session.outcome(toy.id, 'p1', 2)).toBe(true);
    source.down = false;
    await after.online();
    await after.shows(({ offered }) => offered);
    after.peer.push('ask', question(1));
    await after.shows(({ reported }) => reported === 1);
    expect(after.answers).toHaveLength(1);
  });

  it('goes with the consent', async () => {
    const { session, peer, kept, answers, online, predict } = await monitoring();
    await online();
    await session.monitor(toy.id, given);
    predict([1, 2, 3]);
    await session.save();
    expect(await kept.get(toy.id)).not.toBeNull();
    session.unmonitor(toy.id);
    await settled();
    expect(await kept.get(toy.id)).toBeNull();
    expect(session.state.monitored).toEqual({});
    peer.push('ask', question(1));
    await settled();
    expect(answers).toEqual([]);
  });

  it('that cannot be written is shown, and counting goes on', async () => {
    const { session, peer, kept, answers, online, predict, shows } = await monitoring();
    kept.put = async () => {
      throw new CoppiceError('storage-full', 'No room.');
    };
    await online();
    await session.monitor(toy.id, given);
    predict([1, 2, 3]);
    await session.save();
    expect(session.state.monitored[toy.id]?.error?.code).toBe('storage-full');
    peer.push('ask', question(1));
    await shows(({ reported }) => reported === 1);
    expect(answers).toHaveLength(1);
  });
});

describe('inputs of predictions', () => {
  const keepInputs = { days: 7 };
  const DAY = 86_400_000;

  /** One set of examples, whoever opens it. */
  const shared = () => {
    const data = memoryData(toy.data);
    return { data, openData: async () => data };
  };

  it('become examples with their outcome, after a reload too', async () => {
    const { data, openData } = shared();
    const before = await monitoring({ openData });
    await before.online();
    await before.session.monitor(toy.id, { ...given, keepInputs });
    before.predict([1, 2]);
    expect(await before.session.outcome(toy.id, 'p1', 2.5)).toBe(true);
    await before.session.save();
    before.session.close();
    const { source, kept, inputs } = before;
    const after = await monitoring({ openData, monitoring: { source, kept, inputs } });
    await after.online();
    await after.session.monitor(toy.id, { ...given, keepInputs });
    after.clock.advance(6 * DAY);
    expect(await after.session.outcome(toy.id, 'p2', 4.5)).toBe(true);
    expect(await after.session.outcome(toy.id, 'p2', 4.5)).toBe(false);
    const { features, labels, origins } = await data.examples();
    expect([...features]).toEqual([1, 2]);
    expect([...labels]).toEqual([2.5, 4.5]);
    expect(origins).toEqual(['outcome', 'outcome']);
  });

  it('are not kept without a consent of their own, and go where it is taken back', async () => {
    const { data, openData } = shared();
    const { session, online, predict } = await monitoring({ openData });
    await online();
    await session.monitor(toy.id, given);
    predict([1]);
    expect(await session.outcome(toy.id, 'p1', 2)).toBe(true);
    await session.monitor(toy.id, { ...given, keepInputs });
    predict([2]);
    await session.save();
    await session.monitor(toy.id, given);
    // Its error counts on; its input is gone.
    expect(await session.outcome(toy.id, 'p2', 2)).toBe(true);
    await session.monitor(toy.id, { ...given, keepInputs });
    expect(await session.outcome(toy.id, 'p2', 2)).toBe(false);
    expect((await data.summary()).count).toBe(0);
  });

  it('are deleted after their days', async () => {
    const { data, openData } = shared();
    const { session, inputs, clock, online, predict } = await monitoring({ openData });
    await online();
    await session.monitor(toy.id, { ...given, keepInputs });
    predict([1, 2]);
    await session.save();
    clock.advance(8 * DAY);
    await session.outcome(toy.id, 'p1', 2);
    expect((await data.summary()).count).toBe(0);
    predict([3]);
    await session.save();
    expect(await inputs.take(toy.id, 'p2')).toBeNull();
    expect(await inputs.take(toy.id, 'p3')).not.toBeNull();
  });

  it('are kept on where the outcome is none', async () => {
    const { data, openData } = shared();
    const { session, online, predict } = await monitoring({ openData });
    await online();
    await session.monitor(toy.id, { ...given, keepInputs });
    predict([1]);
    await expect(session.outcome(toy.id, 'p1', Number.NaN)).rejects.toMatchObject({ code: 'data-invalid' });
    expect(await session.outcome(toy.id, 'p1', 3)).toBe(true);
    expect((await data.summary()).count).toBe(1);
  });
});

describe('comparisons', () => {
  const models = [
    { role: 'production', checkpoint: 'toy-1/1', hash: RELEASED },
    { role: 'candidate', checkpoint: 'toy-2/1', hash: canaryHash },
  ];
  const compared = { production: RELEASED, candidate: canaryHash, number: 4, older: true };
  const ask = question(4, { kind: 'compare', ticket: 'compare-4.seal', reference: null, models });
  /** A model whose first weight is the slope that it predicts. */
  const sloped = () => {
    let slope = 0;
    return {
      ...scripted(),
      setWeights: ([first]: Float32Array) => {
        slope = first as number;
      },
      predict: async (xs: ArrayLike<number>) => Float32Array.from(xs, (x) => slope * x),
    };
  };

  it('are answered with the examples that are held out', async () => {
    const data = memoryData(toy.data, {
      count: 200,
      features: Float32Array.from({ length: 200 }, (_, i) => i + 1),
      labels: Float32Array.from({ length: 200 }, (_, i) => 2 * (i + 1)),
    });
    const { session, peer, source, answers, online } = await monitoring({
      openData: async () => data,
      trainer: sloped(),
    });
    source.model = async (_task, hash) => ({
      topology: { class_name: 'Sequential', config: {} },
      // The candidate is right, and production is not.
      weights: new Float32Array([hash === canaryHash ? 2 : 1, 0]),
    });
    await online();
    await session.monitor(toy.id, given);
    peer.push('ask', ask);
    await expect.poll(() => answers.length).toBe(1);
    const layout = comparisonLayout(null, compared);
    const parameters = contributionSize(layout);
    const { payload } = decodeFrame(frameBytes((answers[0] as Up<'answer'>).frame), {
      kind: 'contribution',
      codec: 'float32',
      layoutHash: contributionHash(layout),
      parameters,
      bytes: () => 4 * parameters,
    });
    const measures = decodeMeasures(layout, new Float32Array(payload.slice().buffer));
    const { recent } = comparisonEvidence(measures, 1);
    expect(recent.clusters).toBe(1);
    expect(recent.sum).toBeGreaterThan(0);
  });

  it('are not answered where nothing is held out, nor without the consent', async () => {
    const { session, peer, source, answers, online, predict, shows } = await monitoring({
      openData: async () => memoryData(toy.data),
    });
    await online();
    await session.monitor(toy.id, given);
    peer.push('ask', ask);
    predict([1, 2, 3]);
    peer.push('ask', question(5));
    await shows(({ reported }) => reported === 5);
    expect(session.state.monitored[toy.id]).toMatchObject({ answered: 1, withheld: 1 });
    expect(answers).toHaveLength(1);
    source.info = watchOf(reference, { periodMilliseconds: 60_000 });
    peer.push('ask', ask);
    await shows(({ error }) => error?.code === 'consent-outdated');
    expect(answers).toHaveLength(1);
  });
});
