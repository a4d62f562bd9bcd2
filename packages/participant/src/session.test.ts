import { ManualClock } from '@coppice/ports';
import {
  ANSWER_TIMEOUT,
  CoppiceError,
  type Down,
  decodeFrame,
  defaultPlan,
  encodeFrame,
  float32Payload,
  frameBytes,
  type Layout,
  layoutHash,
  type Plan,
  readFloat32Payload,
  type Task,
  type Up,
  weightsHash,
} from '@coppice/protocol';
import type { Trainer } from '@coppice/training';
import { describe, expect, it } from 'vitest';
import { welcome } from './contract.ts';
import { loopback } from './loopback-transport.ts';
import { memoryData } from './memory-data.ts';
import { createSession } from './session.ts';
import type { Session, SessionState } from './session-state.ts';
import { trainerHost } from './trainer-host.ts';

const layout: Layout = [{ name: 'w', shape: [2], trainable: true }];
const task: Task = {
  id: 'toy',
  title: { en: 'Toy' },
  description: { en: 'A toy.' },
  data: {
    kind: 'table',
    features: [{ name: 'x', mean: 0, scale: 1 }],
    target: { kind: 'number', name: 'y' },
  },
  model: { class_name: 'Sequential', config: {} },
  loss: 'meanSquaredError',
  samples: false,
  planDefaults: {},
};
const global = new Float32Array([1, 2]);
const checkpoint = weightsHash(global);
const frame = encodeFrame({
  kind: 'weights',
  codec: 'float32',
  layoutHash: layoutHash(layout),
  parameters: 2,
  payload: float32Payload(global),
});
const summary: Down<'run'>['run'] = {
  id: 'r-1',
  task: 'toy',
  title: { en: 'Toy' },
  status: 'running',
  admission: 'open',
  phase: 'waiting',
  round: 0,
  rounds: 3,
  participants: 1,
  needed: 1,
  deadlineAt: null,
  central: null,
  checkpoint,
};
const start: Down<'round-start'> = {
  run: 'r-1',
  round: 1,
  attempt: 1,
  checkpoint,
  remaining: 1000,
  asked: 1,
  frame,
};

const scriptedResult = { lossSum: 0.75, examples: 3, loss: 0.25, steps: 1, milliseconds: 10 };

/** A trainer that adds 0.5 to each weight, when it is let. */
function scripted(step: () => Promise<void> = async () => {}): Trainer & { trained: number } {
  let weights = new Float32Array(2);
  const trainer = {
    backend: 'cpu' as const,
    layout,
    trained: 0,
    getWeights: async () => weights,
    setWeights: (given: Float32Array) => {
      weights = given.slice();
    },
    async train(_data: unknown, _how: unknown, { signal }: { signal?: AbortSignal } = {}) {
      trainer.trained++;
      await step();
      signal?.throwIfAborted();
      return { ...scriptedResult, weights: weights.map((w) => w + 0.5) };
    },
    gradient: async () => weights.map(() => 0),
    measure: async ({ count }: { count: number }) => ({
      lossSum: count,
      examples: count,
      hits: null,
      perClass: null,
    }),
    evaluate: async (data: { count: number }) => ({ loss: 1, accuracy: null, examples: data.count }),
    predict: async () => new Float32Array(1),
    dispose: () => {},
  };
  return trainer;
}

async function world({
  plan = {},
  trainer = scripted(),
  examples = 3,
  dropsOut,
}: {
  plan?: Partial<Plan>;
  trainer?: Trainer;
  examples?: number;
  dropsOut?: (round: number) => boolean;
} = {}) {
  const { transport, peer } = loopback();
  const clock = new ManualClock(1000);
  const told: { name: string; message: unknown }[] = [];
  const session = createSession({
    transport,
    host: trainerHost(async () => trainer, ['cpu']),
    openData: async (_task, schema) =>
      memoryData(schema, {
        count: examples,
        features: new Float32Array(examples),
        labels: new Float32Array(examples),
      }),
    clock,
    device: 'headless',
    backend: 'cpu',
    keepModels: true,
    ...(dropsOut === undefined ? {} : { dropsOut }),
  });
  peer.answer('join', (message) => {
    told.push({ name: 'join', message });
    return {
      ok: true,
      value: {
        run: summary,
        task,
        // So small a share that all examples serve for both.
        plan: { ...defaultPlan, evaluationShare: 1e-9, ...plan },
        layout,
        checkpoint,
      },
    };
  });
  peer.answer('pull', () => ({ ok: true, value: { round: 0, checkpoint, frame } }));
  for (const name of ['leave', 'availability', 'decline', 'evaluation'] as const) {
    peer.answer(name, (message) => {
      told.push({ name, message });
      return { ok: true, value: null };
    });
  }
  peer.answer('update', (message) => {
    told.push({ name: 'update', message });
    return { ok: true, value: { duplicate: false, next: null } };
  });
  session.connect();
  const messages = (name: string) => told.filter((one) => one.name === name).map((one) => one.message);
  const enter = async () => {
    const joining = session.join('r-1');
    peer.welcome({ ...welcome, runs: [summary] });
    await joining;
    await until(session, (state) => state.joined !== null && state.model !== null);
  };
  return { session, peer, told, messages, enter, clock };
}

function until(session: Session, reached: (state: SessionState) => boolean): Promise<SessionState> {
  return new Promise((resolve) => {
    if (reached(session.state)) return resolve(session.state);
    const stop = session.subscribe((state) => {
      if (!reached(state)) return;
      stop();
      resolve(state);
    });
  });
}

const doing = (kind: string) => (state: SessionState) => state.activity.kind === kind;
const valuesOf = (update: Up<'update'>) =>
  readFloat32Payload(
    decodeFrame(frameBytes(update.frame), { kind: 'update', layoutHash: layoutHash(layout), parameters: 2 }),
  );

/** What the update carries, by place. */
function entryOf(update: Up<'update'>): { at: number; value: number } {
  const expected = { kind: 'update', codec: 'top10', layoutHash: layoutHash(layout), parameters: 2 } as const;
  const { payload } = decodeFrame(frameBytes(update.frame), expected);
  const view = new DataView(payload.buffer, payload.byteOffset);
  return { at: view.getUint32(0, true), value: view.getFloat32(4, true) };
}

describe('what a codec leaves out', () => {
  const plan = { uploadCodec: 'top10' } as const;
  const ended = {
    run: 'r-1',
    attempt: 1,
    outcome: 'committed',
    reason: null,
    checkpoint,
    central: null,
    accepted: 1,
    asked: 1,
    you: 'accepted',
  } as const;
  const deliver = async (
    { session, peer }: Pick<Awaited<ReturnType<typeof world>>, 'session' | 'peer'>,
    round: number,
  ) => {
    peer.push('round-start', { ...start, round });
    await until(session, ({ activity }) => activity.kind === 'delivered' && activity.round === round);
  };

  it('is added to the next update, once its own has counted', async () => {
    const { session, peer, messages, enter } = await world({ plan });
    await enter();
    await deliver({ session, peer }, 1);
    peer.push('round-end', { ...ended, round: 1 });
    await deliver({ session, peer }, 2);
    // Its end is not heard, as over a lost connection; it was acknowledged.
    await deliver({ session, peer }, 3);
    // Another was faster: this one did not count, and what it left out is gone with it.
    peer.push('round-end', { ...ended, round: 3, you: 'late' });
    await deliver({ session, peer }, 4);
    // Each round moves both weights by a half, and one number travels.
    expect((messages('update') as Up<'update'>[]).map(entryOf)).toEqual([
      { at: 0, value: 0.5 },
      { at: 1, value: 1 },
      { at: 0, value: 1 },
      { at: 0, value: 1 },
    ]);
  });

  it.each([
    ['counted', { ok: true, value: { duplicate: true, next: null } }, { at: 1, value: 1 }],
    ['did not', { ok: false, error: { code: 'update-late', message: 'Too late.' } }, { at: 0, value: 0.5 }],
  ] as const)('is asked about where no answer was heard: it %s', async (_what, answer, second) => {
    const { session, peer, enter } = await world({ plan });
    await enter();
    const updates: Up<'update'>[] = [];
    peer.answer('update', (update) => {
      updates.push(update);
      if (updates.length === 2) return answer;
      if (updates.length === 3) return { ok: true, value: { duplicate: false, next: null } };
      peer.drop();
      throw new Error('the line is broken');
    });
    peer.push('round-start', { ...start, round: 1 });
    await until(session, ({ connection }) => connection === 'offline');
    peer.welcome({ ...welcome, runs: [summary] });
    await until(session, ({ connection }) => connection === 'online');
    await new Promise(setImmediate);
    await deliver({ session, peer }, 2);
    expect(updates.map(({ round }) => round)).toEqual([1, 1, 2]);
    expect(updates.map(entryOf)).toEqual([{ at: 0, value: 0.5 }, { at: 0, value: 0.5 }, second]);
  });

  it('waits while a round is tried again: the update stays as it was', async () => {
    const { session, peer, messages, enter } = await world({ plan });
    await enter();
    await deliver({ session, peer }, 1);
    peer.push('round-end', { ...ended, round: 1, outcome: 'abandoned' });
    peer.push('round-start', { ...start, attempt: 2 });
    await until(session, doing('delivered'));
    peer.push('round-end', { ...ended, round: 1, attempt: 2 });
    await deliver({ session, peer }, 2);
    expect((messages('update') as Up<'update'>[]).map(entryOf)).toEqual([
      { at: 0, value: 0.5 },
      { at: 0, value: 0.5 },
      { at: 1, value: 1 },
    ]);
  });
});

describe('models that come as steps', () => {
  const plan = { downloadCodec: 'float16', downloadForm: 'steps' } as const;
  const stepsOf = (...halves: number[]) =>
    encodeFrame({
      kind: 'steps',
      codec: 'float16',
      layoutHash: layoutHash(layout),
      parameters: 2,
      payload: new Uint8Array(Uint16Array.from(halves).buffer),
    });
  const next = new Float32Array([1.75, 1.25]);
  // From (1, 2): (0.5, −1), then (0.25, 0.25), in float16.
  const two = stepsOf(0x3800, 0xbc00, 0x3400, 0x3400);
  const trainedFrom = async (
    { session, peer, messages }: Pick<Awaited<ReturnType<typeof world>>, 'session' | 'peer' | 'messages'>,
    round: number,
    message: Partial<Down<'round-start'>>,
  ) => {
    peer.push('round-start', { ...start, round, ...message });
    await until(session, ({ activity }) => activity.kind === 'delivered' && activity.round === round);
    expect((messages('update').at(-1) as Up<'update'>).checkpoint).toBe(message.checkpoint);
  };

  it('lead to the same weights as a whole one', async () => {
    const w = await world({ plan });
    await w.enter();
    expect(w.messages('join')).toEqual([expect.objectContaining({ has: null })]);
    await trainedFrom(w, 1, { checkpoint });
    await trainedFrom(w, 2, { checkpoint: weightsHash(next), base: checkpoint, frame: two });
    expect(w.session.models().latest?.weights).toEqual(next);
    // Sent again without a byte, as to one who has it.
    await trainedFrom(w, 3, { checkpoint: weightsHash(next), base: weightsHash(next), frame: stepsOf() });
    w.peer.drop();
    w.peer.welcome({ ...welcome, runs: [summary] });
    await until(w.session, () => w.messages('join').length === 2);
    expect(w.messages('join')[1]).toMatchObject({ has: weightsHash(next) });
  });

  it('from a model that is not here are not guessed: the whole one is fetched', async () => {
    const w = await world({ plan });
    await w.enter();
    await trainedFrom(w, 1, { checkpoint });
    const pulled: Up<'pull'>[] = [];
    w.peer.answer('pull', (message) => {
      pulled.push(message);
      const payload = float32Payload(next);
      const hash = layoutHash(layout);
      const model = encodeFrame({
        kind: 'weights',
        codec: 'float32',
        layoutHash: hash,
        parameters: 2,
        payload,
      });
      return { ok: true, value: { round: 1, checkpoint: weightsHash(next), frame: model } };
    });
    await trainedFrom(w, 2, { checkpoint: weightsHash(next), base: 'e'.repeat(64), frame: two });
    expect(pulled).toEqual([{ run: 'r-1' }]);
    expect(w.session.models().latest?.weights).toEqual(next);
  });

  it('that lead elsewhere than they should are not trained on', async () => {
    const w = await world({ plan });
    await w.enter();
    await trainedFrom(w, 1, { checkpoint });
    const elsewhere = { round: 2, checkpoint: 'd'.repeat(64), base: checkpoint, frame: two };
    w.peer.push('round-start', { ...start, ...elsewhere });
    await until(w.session, ({ error }) => error?.code === 'frame-invalid');
    expect(w.messages('decline')).toEqual([expect.objectContaining({ reason: 'frame-invalid' })]);
  });
});

describe('a session', () => {
  it('takes nothing up before it is told to', async () => {
    const { session, peer, told } = await world();
    peer.welcome({ ...welcome, runs: [summary] });
    await until(session, (state) => state.connection === 'online');
    expect(told).toEqual([]);
    expect(session.state).toMatchObject({ joined: null, activity: { kind: 'idle' }, operator: 'someone' });
  });

  it('trains a round and sends new weights minus old, with its example count and measurements', async () => {
    const { session, peer, messages, enter } = await world();
    await enter();
    peer.push('round-start', start);
    await until(session, doing('delivered'));
    const [update] = messages('update') as [Up<'update'>];
    expect([...valuesOf(update)]).toEqual([0.5, 0.5]);
    expect(update).toMatchObject({
      round: 1,
      attempt: 1,
      checkpoint,
      examples: 3,
      loss: 0.25,
      evaluation: { loss: 1, examples: 3 },
    });
    peer.push('round-end', {
      run: 'r-1',
      round: 1,
      attempt: 1,
      outcome: 'committed',
      reason: null,
      checkpoint,
      central: null,
      accepted: 1,
      asked: 1,
      you: 'accepted',
    });
    expect(session.state).toMatchObject({ accepted: 1, activity: { kind: 'waiting' } });
    expect(session.state.outcomes).toEqual([{ round: 1, outcome: 'accepted', reason: null }]);
  });

  it('measures nothing where the plan keeps no examples out of training', async () => {
    const trainer = scripted();
    let measured = 0;
    const { evaluate } = trainer;
    trainer.evaluate = (data) => {
      measured++;
      return evaluate(data);
    };
    const { session, peer, messages, enter } = await world({ trainer, plan: { evaluationShare: 0 } });
    await enter();
    peer.push('round-start', start);
    await until(session, doing('delivered'));
    expect(messages('update')).toMatchObject([{ examples: 3, evaluation: null }]);
    peer.push('evaluate', { run: 'r-1', round: 1, checkpoint, frame });
    peer.push('round-start', { ...start, round: 2 });
    await until(session, (state) => doing('delivered')(state) && messages('update').length === 2);
    expect(messages('evaluation')).toEqual([]);
    expect(session.state.localMetrics).toEqual([]);
    expect(measured).toBe(0);
  });

  it('clips before anything leaves the device', async () => {
    const { session, peer, messages, enter } = await world({ plan: { clipNorm: 0.1 } });
    await enter();
    peer.push('round-start', start);
    await until(session, doing('delivered'));
    const values = valuesOf((messages('update') as [Up<'update'>])[0]);
    expect(Math.hypot(...values)).toBeCloseTo(0.1, 6);
    expect(session.state.outbound.at(-1)).toMatchObject({ name: 'update', norm: expect.closeTo(0.1, 6) });
  });

  it('keeps an outbound log of every message, without data or frames', async () => {
    const { session, peer, enter } = await world();
    await enter();
    peer.push('round-start', start);
    await until(session, doing('delivered'));
    const names = session.state.outbound.map((record) => record.name);
    expect(names).toEqual(['join', 'availability', 'pull', 'progress', 'update']);
    for (const { fields } of session.state.outbound) expect(fields).not.toHaveProperty('frame');
    expect(session.state.sent.messages).toBe(5);
  });

  it('comes back after a lost line, joins again, and sends the update it has made rather than train again', async () => {
    const trainer = scripted();
    const { session, peer, messages, enter } = await world({ trainer });
    await enter();
    peer.answer('update', () => new Promise(() => {}));
    peer.push('round-start', start);
    await until(session, doing('sending'));
    peer.drop();
    await until(session, (state) => state.connection === 'offline');
    const sent: Up<'update'>[] = [];
    peer.answer('update', (message) => {
      sent.push(message);
      return { ok: true, value: { duplicate: true, next: null } };
    });
    peer.welcome({ ...welcome, runs: [summary] });
    await until(session, (state) => state.connection === 'online' && messages('join').length === 2);
    peer.push('round-start', { ...start, attempt: 2 });
    await until(session, doing('delivered'));
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject({ round: 1, attempt: 2 });
    expect(trainer.trained).toBe(1);
  });

  it('pauses in the middle of training, says so, and is not asked again until it resumes', async () => {
    let release = () => {};
    const trainer = scripted(
      () =>
        new Promise<void>((resolve) => {
          release = resolve;
        }),
    );
    const { session, peer, messages, enter } = await world({ trainer });
    await enter();
    peer.push('round-start', start);
    await until(session, doing('evaluating'));
    while (trainer.trained === 0) await Promise.resolve();
    await session.pause();
    release();
    expect(messages('decline')).toEqual([{ run: 'r-1', round: 1, attempt: 1, reason: 'paused' }]);
    expect(messages('availability').at(-1)).toMatchObject({ paused: true });
    expect(messages('update')).toEqual([]);
    expect(session.state.activity.kind).toBe('paused');
    await session.resume();
    expect(messages('availability').at(-1)).toMatchObject({ paused: false });
    expect(session.state.activity.kind).toBe('waiting');
  });

  it('stays paused when its training ends all the same', async () => {
    let release = () => {};
    const step = new Promise<void>((resolve) => {
      release = resolve;
    });
    const plain = scripted(() => step);
    // Too late to be stopped: the last batch is done.
    const trainer: Trainer = { ...plain, train: (data, how) => plain.train(data, how) };
    const { session, peer, messages, enter } = await world({ trainer });
    await enter();
    peer.push('round-start', start);
    await until(session, doing('evaluating'));
    while (plain.trained === 0) await Promise.resolve();
    await session.pause();
    release();
    await new Promise((resolve) => setImmediate(resolve));
    expect(session.state.activity.kind).toBe('paused');
    expect(messages('update')).toEqual([]);
  });

  it('trains as its plan says', async () => {
    const trainer = scripted();
    const hows: unknown[] = [];
    const plain = trainer.train;
    trainer.train = (data, how, options) => {
      hows.push({ ...how, objective: options?.objective });
      return plain(data, how);
    };
    const training = { epochs: 3, batchSize: 7, optimizer: 'adam', learningRate: 0.02 } as const;
    const { peer, enter } = await world({ trainer, plan: { ...training, proximal: 0.5 } });
    await enter();
    peer.push('round-start', start);
    while (hows.length === 0) await Promise.resolve();
    // FedProx pulls toward the weights that came with the round.
    const objective = { scale: 1, pull: 0.5, anchor: global, offset: null };
    expect(hows).toEqual([expect.objectContaining({ ...training, objective })]);
  });

  it('declines by name when its training diverges, and stays in', async () => {
    const trainer = scripted(() => Promise.reject(new CoppiceError('training-diverged', 'NaN.')));
    const { session, peer, messages, enter } = await world({ trainer });
    await enter();
    peer.push('round-start', start);
    await until(session, (state) => state.error?.code === 'training-diverged');
    expect(messages('decline')).toEqual([{ run: 'r-1', round: 1, attempt: 1, reason: 'training-diverged' }]);
    // That the round then came to nothing says less than why.
    const abandoned = {
      run: 'r-1',
      round: 1,
      attempt: 1,
      outcome: 'abandoned',
      reason: { code: 'quorum-lost', message: 'Too few.' },
      checkpoint,
      central: null,
      accepted: 0,
      asked: 1,
    } as const;
    peer.push('round-end', { ...abandoned, you: 'declined' });
    expect(session.state.outcomes).toMatchObject([{ round: 1, outcome: 'declined' }]);
    expect(session.state.error?.code).toBe('training-diverged');
    peer.push('round-end', { ...abandoned, attempt: 2, you: 'late' });
    expect(session.state.error?.code).toBe('quorum-lost');
    expect(session.state).toMatchObject({ joined: { run: 'r-1' }, activity: { kind: 'waiting' } });
  });

  it.each([
    ['longer than the plan lets count', 'update-norm', { maxNorm: 0.5 }, 0.5],
    ['not finite', 'update-not-finite', {}, Number.NaN],
    ['too large to be summed', 'update-out-of-range', { maxNorm: null }, 1e12],
  ] as const)('declines by name, and sends nothing, when its update is %s', async (_, code, plan, step) => {
    const trainer = scripted();
    trainer.train = async () => ({
      ...scriptedResult,
      weights: global.map((weight) => weight + step),
    });
    const { session, peer, messages, enter } = await world({ trainer, plan });
    await enter();
    peer.push('round-start', start);
    await until(session, (state) => state.error?.code === code);
    expect(messages('decline')).toEqual([{ run: 'r-1', round: 1, attempt: 1, reason: code }]);
    expect(messages('update')).toEqual([]);
    expect(session.state).toMatchObject({ joined: { run: 'r-1' }, activity: { kind: 'waiting' } });
  });

  it('asks anew when its run has been silent for long, and learns of what was lost', async () => {
    const { session, peer, messages, enter, clock } = await world();
    await enter();
    expect(messages('join')).toHaveLength(1);
    // Any word of the run will do.
    clock.advance(ANSWER_TIMEOUT - 1);
    peer.push('peers', { run: 'r-1', joined: 1, working: 0, done: 0 });
    clock.advance(ANSWER_TIMEOUT - 1);
    expect(messages('join')).toHaveLength(1);
    clock.advance(1);
    await until(session, doing('waiting'));
    expect(messages('join')).toHaveLength(2);
    peer.answer('join', () => ({ ok: false, error: { code: 'run-ended', message: 'Over.' } }));
    clock.advance(ANSWER_TIMEOUT);
    await until(session, doing('ended'));
    clock.advance(10 * ANSWER_TIMEOUT);
    expect(messages('join')).toHaveLength(2);
  });

  it('asks nothing of a run that it left', async () => {
    const { session, messages, enter, clock } = await world();
    await enter();
    await session.leave();
    clock.advance(10 * ANSWER_TIMEOUT);
    expect(messages('join')).toHaveLength(1);
  });

  it.each([-36_000_000, 36_000_000])('minds no date of its own: one that is %s ms off', async (off) => {
    const { session, peer, messages, enter, clock } = await world();
    clock.jump(off);
    await enter();
    expect(session.state.clockOffset).toBe(welcome.now - 1000 - off);
    peer.push('round-start', start);
    clock.jump(-2 * off);
    await until(session, doing('delivered'));
    expect(messages('update')).toHaveLength(1);
  });

  it('takes the current model when its update comes too late', async () => {
    const { session, peer, enter } = await world();
    await enter();
    const newer = new Float32Array([5, 6]);
    peer.answer('update', () => ({
      ok: false,
      error: { code: 'update-late', message: 'Too late.' },
      current: {
        round: 1,
        checkpoint: weightsHash(newer),
        frame: encodeFrame({
          kind: 'weights',
          codec: 'float32',
          layoutHash: layoutHash(layout),
          parameters: 2,
          payload: float32Payload(newer),
        }),
      },
    }));
    peer.push('round-start', start);
    await until(session, (state) => state.error?.code === 'update-late');
    expect(session.models().latest).toMatchObject({ round: 1, weights: newer });
    expect(session.models().first).toMatchObject({ round: 0 });
  });

  it('joins again where it is not known in the run, and sends the update that it made', async () => {
    const trainer = scripted();
    const { session, peer, messages, enter } = await world({ trainer });
    await enter();
    peer.answer('update', () => {
      // The round comes again after the join, as for everyone who comes back.
      peer.answer('update', () => ({ ok: true, value: { duplicate: false, next: null } }));
      setImmediate(() => peer.push('round-start', start));
      return { ok: false, error: { code: 'not-joined', message: 'Join.' } };
    });
    peer.push('round-start', start);
    await until(session, doing('delivered'));
    expect(messages('join')).toHaveLength(2);
    expect(trainer.trained).toBe(1);
    expect(messages('decline')).toEqual([]);
  });

  it('sends a frame that was damaged on the way again, and declines when that does not help', async () => {
    const { session, peer, messages, enter } = await world();
    await enter();
    let times = 0;
    peer.answer('update', () => {
      times++;
      return { ok: false, error: { code: 'frame-invalid', message: 'Damaged.' } };
    });
    peer.push('round-start', start);
    await until(session, (state) => state.error?.code === 'frame-invalid');
    expect(times).toBe(3);
    expect(messages('decline')).toMatchObject([{ reason: 'frame-invalid' }]);
  });

  it('trains anew after an update that was refused for what it is', async () => {
    const trainer = scripted();
    const { session, peer, enter } = await world({ trainer });
    await enter();
    peer.answer('update', () => ({
      ok: false,
      error: { code: 'update-out-of-range', message: 'Too large.' },
    }));
    peer.push('round-start', start);
    await until(session, (state) => state.error?.code === 'update-out-of-range');
    peer.push('round-start', { ...start, attempt: 2 });
    while (trainer.trained < 2) await new Promise((resolve) => setImmediate(resolve));
    expect(trainer.trained).toBe(2);
  });

  it('without examples asks for some and is not ready', async () => {
    const { session, messages, enter } = await world({ examples: 0 });
    await enter();
    expect(session.state.activity.kind).toBe('needs-data');
    expect(messages('availability').at(-1)).toMatchObject({ examples: 0 });
  });

  it('drops out where a simulation says so, without training', async () => {
    const trainer = scripted();
    const { peer, messages, enter } = await world({ trainer, dropsOut: (round) => round === 1 });
    await enter();
    peer.push('round-start', start);
    while (messages('decline').length === 0) await Promise.resolve();
    expect(messages('decline')).toMatchObject([{ reason: 'dropout' }]);
    expect(trainer.trained).toBe(0);
  });

  it('measures a model when asked, and trains nothing', async () => {
    const trainer = scripted();
    const { session, peer, messages, enter } = await world({ trainer });
    await enter();
    peer.push('evaluate', { run: 'r-1', round: 3, checkpoint, frame });
    await until(session, (state) => state.localMetrics.length === 1);
    while (messages('evaluation').length === 0) await Promise.resolve();
    expect(messages('evaluation')).toEqual([
      { run: 'r-1', checkpoint, metrics: { loss: 1, accuracy: null, examples: 3 } },
    ]);
    expect(trainer.trained).toBe(0);
  });

  it('stops for good when it is refused', async () => {
    const { session, peer } = await world();
    peer.refuse({ code: 'protocol-too-old', message: 'Reload.' });
    await until(session, (state) => state.connection === 'refused');
    expect(session.state.error).toMatchObject({ code: 'protocol-too-old' });
  });

  it('leaves, tells, and forgets the run', async () => {
    const { session, messages, enter } = await world();
    await enter();
    await session.leave();
    expect(messages('leave')).toEqual([{ run: 'r-1' }]);
    expect(session.state).toMatchObject({ joined: null, activity: { kind: 'idle' } });
  });
});

describe('a trainer host', () => {
  const description = { topology: task.model, data: task.data, loss: task.loss };

  it('moves on to the next backend when one cannot start or is lost, and stays there', async () => {
    const tried: string[] = [];
    const host = trainerHost(
      async (_description, { backend }) => {
        tried.push(backend ?? '');
        if (backend === 'webgl') throw new CoppiceError('backend-unavailable', 'No WebGL.');
        return { ...scripted(), backend: backend ?? 'cpu' };
      },
      ['webgl', 'wasm', 'cpu'],
    );
    const used: string[] = [];
    host.onBackend(({ backend, insteadOf }) => used.push(`${backend} for ${insteadOf}`));
    let failures = 1;
    const result = await host.use(description, async ({ backend }) => {
      if (failures-- > 0) throw new CoppiceError('backend-lost', 'Gone.');
      return backend;
    });
    expect(result).toBe('cpu');
    expect(tried).toEqual(['webgl', 'wasm', 'cpu']);
    expect(used).toEqual(['wasm for null', 'cpu for wasm']);
    expect(await host.use(description, async ({ backend }) => backend)).toBe('cpu');
    expect(tried).toHaveLength(3);
  });

  it('takes the fastest first, measured once for a model, and what was not ranked only at the last', async () => {
    const tried: string[] = [];
    const measured: number[] = [];
    const host = trainerHost(
      async (_description, { backend }) => {
        tried.push(backend ?? '');
        if (backend === 'wasm') throw new CoppiceError('backend-unavailable', 'No WebAssembly after all.');
        return { ...scripted(), backend: backend ?? 'cpu' };
      },
      ['planned', 'webgl', 'wasm', 'cpu'],
      async (_description, { batchSize }) => {
        measured.push(batchSize);
        return [{ backend: 'wasm' }, { backend: 'planned' }];
      },
    );
    const backendOf = (trainer: { backend: string }) => Promise.resolve(trainer.backend);
    expect(await host.use(description, backendOf, { batchSize: 7 })).toBe('planned');
    expect(await host.use(description, backendOf, { batchSize: 7 })).toBe('planned');
    expect(measured).toEqual([7]);
    let failures = 1;
    const after = await host.use(description, async ({ backend }) => {
      if (failures-- > 0) throw new CoppiceError('backend-lost', 'Gone.');
      return backend;
    });
    // WebGL was not among those that compute what they should.
    expect(after).toBe('cpu');
    expect(tried).toEqual(['wasm', 'planned', 'cpu']);
  });

  it('takes what is preferred, the others where it cannot be had, and its own order again after that', async () => {
    const host = trainerHost(
      async (_description, { backend }) => {
        if (backend === 'webgl') throw new CoppiceError('backend-unavailable', 'No WebGL.');
        return { ...scripted(), backend: backend ?? 'cpu' };
      },
      ['planned', 'webgl', 'wasm', 'cpu'],
      async () => [{ backend: 'wasm' }, { backend: 'planned' }],
    );
    const used = () => host.use(description, async ({ backend }) => backend);
    host.prefer('cpu');
    expect(await used()).toBe('cpu');
    host.prefer('webgl');
    expect(await used()).toBe('planned');
    host.prefer(null);
    expect(await used()).toBe('wasm');
  });

  it('says why the last of them cannot be had where none can, again and again', async () => {
    const host = trainerHost(
      async (_description, { backend }) => {
        throw new CoppiceError('backend-unavailable', `No ${backend}.`);
      },
      ['wasm', 'cpu'],
    );
    for (let i = 0; i < 2; i++) {
      const used = host.use(description, async () => {});
      await expect(used).rejects.toMatchObject({ code: 'backend-unavailable', message: 'No cpu.' });
    }
  });

  it('lends to one at a time, in order, also after a failure', async () => {
    const host = trainerHost(async () => scripted(), ['cpu']);
    const log: string[] = [];
    const work = (name: string) => () =>
      host.use(description, async () => {
        log.push(`${name} in`);
        await Promise.resolve();
        log.push(`${name} out`);
        if (name === 'a') throw new Error('a failed');
      });
    await Promise.allSettled([work('a')(), work('b')()]);
    expect(log).toEqual(['a in', 'a out', 'b in', 'b out']);
  });
});

describe('who may take part', () => {
  const refuse = (code: 'run-not-admitted' | 'participant-banned' | 'invitation-invalid') => ({
    ok: false as const,
    error: { code, message: code },
  });

  it('shows an invitation at every join until one is granted, and never after', async () => {
    const { session, peer, messages, enter } = await world();
    const joining = session.join('r-1', 'join-secret');
    peer.welcome({ ...welcome, runs: [summary] });
    await joining;
    await enter();
    peer.drop();
    peer.welcome({ ...welcome, runs: [summary] });
    await until(session, (state) => state.outbound.filter(({ name }) => name === 'join').length >= 3);
    const shown = messages('join').map((message) => (message as Up<'join'>).invitation);
    expect(shown[0]).toBe('join-secret');
    expect(shown.slice(1).every((invitation) => invitation === undefined)).toBe(true);
  });

  it('is not in a run that refuses it, and does not come again by itself', async () => {
    const { session, peer } = await world();
    let asked = 0;
    peer.answer('join', () => {
      asked++;
      return refuse('invitation-invalid');
    });
    peer.welcome({ ...welcome, runs: [summary] });
    await expect(session.join('r-1', 'join-old')).rejects.toMatchObject({ code: 'invitation-invalid' });
    expect(session.state).toMatchObject({ joined: null, activity: { kind: 'idle' } });
    peer.drop();
    peer.welcome({ ...welcome, runs: [summary] });
    expect(asked).toBe(1);
  });

  it('stops its training at once when it is put out, and says why', async () => {
    const reached = Promise.withResolvers<void>();
    const trainer = scripted(() => {
      reached.resolve();
      return new Promise(() => {});
    });
    const { session, peer, messages, enter } = await world({ trainer });
    await enter();
    peer.push('round-start', start);
    await reached.promise;
    // Of another run: no matter of this one.
    peer.push('notice', { code: 'run-not-admitted', message: 'elsewhere', run: 'r-2' });
    expect(session.state.joined?.run).toBe('r-1');
    peer.push('notice', { code: 'participant-banned', message: 'out', run: 'r-1' });
    expect(session.state).toMatchObject({
      joined: null,
      activity: { kind: 'idle' },
      error: { code: 'participant-banned', message: 'out' },
    });
    const joins = messages('join').length;
    peer.drop();
    peer.welcome({ ...welcome, runs: [summary] });
    expect(messages('join').length).toBe(joins);
    expect(messages('update')).toEqual([]);
  });

  it('is nowhere any more when it is banned from everything', async () => {
    const { session, peer, enter } = await world();
    await enter();
    peer.refuse({ code: 'participant-banned', message: 'out' });
    expect(session.state).toMatchObject({ connection: 'refused', joined: null });
  });

  it('reads the model of a run that it did not join by the hash that names it', async () => {
    const { session, peer } = await world();
    peer.welcome({ ...welcome, runs: [summary] });
    expect((await session.pull('r-1')).weights).toEqual(global);
    const damaged = frame.slice();
    damaged[0] = 0;
    for (const value of [
      { round: 0, checkpoint: 'b'.repeat(64), frame },
      { round: 0, checkpoint, frame: damaged },
      { round: 0, checkpoint, frame: frame.slice(0, 10) },
    ]) {
      peer.answer('pull', () => ({ ok: true, value }));
      await expect(session.pull('r-1')).rejects.toMatchObject({ code: 'frame-invalid' });
    }
  });
});
