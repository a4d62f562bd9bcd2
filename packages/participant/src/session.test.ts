import {
  ANSWER_TIMEOUT,
  CoppiceError,
  encodeFrame,
  layoutHash,
  type Up,
  weightsHash,
} from '@coppice/protocol';
import type { Trainer } from '@coppice/training';
import { describe, expect, it } from 'vitest';
import { welcome } from './contract.ts';
import {
  asking,
  checkpoint,
  doing,
  ending,
  frame,
  frameOf,
  global,
  layout,
  layoutsOf,
  readAnswer,
  scripted,
  scriptedResult,
  summary,
  task,
  ticketOf,
  until,
  world,
} from './session-world.ts';
import { trainerHost } from './trainer-host.ts';

it('answers a question that is heard before the answer to the join, as in one packet with it', async () => {
  const { session, peer, answered, joined } = await world({});
  const answer = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  peer.answer('join', async () => {
    asked.resolve();
    await answer.promise;
    return joined;
  });
  const joining = session.join('r-1');
  peer.welcome({ ...welcome, runs: [summary] });
  await asked.promise;
  peer.push('ask', asking(1));
  answer.resolve();
  await joining;
  await until(session, ({ activity }) => activity.kind === 'delivered');
  expect(answered()).toHaveLength(1);
});

describe('what a codec leaves out', () => {
  const plan = { uploadCodec: 'top10' } as const;
  const deliver = async (
    { session, peer }: Pick<Awaited<ReturnType<typeof world>>, 'session' | 'peer'>,
    round: number,
  ) => {
    peer.push('ask', asking(round));
    await until(session, ({ activity }) => activity.kind === 'delivered' && activity.round === round);
  };

  it('is added to the next update, once its own has counted', async () => {
    const { session, peer, messages, enter, counted, answered } = await world({ plan });
    await enter();
    await deliver({ session, peer }, 1);
    peer.push('round-end', ending(1));
    await deliver({ session, peer }, 2);
    // Its end is not heard, as over a lost connection.
    counted.set(ticketOf(2), true);
    await deliver({ session, peer }, 3);
    expect(messages('counted')).toEqual([{ run: 'r-1', tickets: [ticketOf(2)] }]);
    // Another was faster: this one did not count, and what it left out is gone with it.
    peer.push('round-end', ending(3, { you: 'late' }));
    await deliver({ session, peer }, 4);
    // Each round moves both weights by a half, and one number travels.
    expect(answered().map(({ vectors }) => vectors.model)).toEqual([
      [0.5, 0],
      [0, 1],
      [1, 0],
      [1, 0],
    ]);
  });

  it.each([
    ['counted', true, [0, 1]],
    ['did not', false, [0.5, 0]],
  ] as const)('is asked about where no answer was heard: it %s', async (_what, verdict, second) => {
    const { session, peer, enter, counted, messages, plan: full } = await world({ plan });
    await enter();
    const answers: Up<'answer'>[] = [];
    peer.answer('answer', (answer) => {
      answers.push(answer);
      if (answers.length > 1) return { ok: true, value: { duplicate: false, next: null } };
      peer.drop();
      throw new Error('the line is broken');
    });
    peer.push('ask', asking(1));
    await until(session, ({ connection }) => connection === 'offline');
    counted.set(ticketOf(1), null);
    peer.welcome({ ...welcome, runs: [summary] });
    await until(session, ({ connection }) => connection === 'online');
    while (messages('counted').length === 0) await new Promise(setImmediate);
    counted.set(ticketOf(1), verdict);
    await deliver({ session, peer }, 2);
    const { train } = layoutsOf(full);
    const read = answers.map((answer) => readAnswer(answer, train, 'top10'));
    expect(read.map(({ ticket }) => ticket)).toEqual([ticketOf(1), ticketOf(2)]);
    expect(read.map(({ vectors }) => vectors.model)).toEqual([[0.5, 0], second]);
  });

  it('waits while a round is tried again: the update stays as it was', async () => {
    const { session, peer, enter, answered } = await world({ plan });
    await enter();
    await deliver({ session, peer }, 1);
    peer.push('round-end', ending(1, { outcome: 'abandoned' }));
    peer.push('ask', asking(1, { attempt: 2 }));
    await until(session, doing('delivered'));
    peer.push('round-end', ending(1, { attempt: 2 }));
    await deliver({ session, peer }, 2);
    expect(answered().map(({ ticket }) => ticket)).toEqual([ticketOf(1), ticketOf(1, 2), ticketOf(2)]);
    expect(answered().map(({ vectors }) => vectors.model)).toEqual([
      [0.5, 0],
      [0.5, 0],
      [0, 1],
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
  const inWorld = async () => {
    const trainer = scripted();
    const w = await world({ plan, trainer });
    await w.enter();
    return { ...w, trainer };
  };
  const trainedFrom = async (
    { session, peer, trainer, answered }: Awaited<ReturnType<typeof inWorld>>,
    round: number,
    { hash, base, frame: sent = frame }: { hash: string; base?: string; frame?: Uint8Array },
  ) => {
    const parcel = { name: 'model', hash, frame: sent, ...(base === undefined ? {} : { base }) };
    peer.push('ask', asking(round, { parcels: [parcel] }));
    await until(session, ({ activity }) => activity.kind === 'delivered' && activity.round === round);
    expect(answered().at(-1)?.ticket).toBe(ticketOf(round));
    expect(weightsHash(await trainer.getWeights())).toBe(hash);
  };

  it('lead to the same weights as a whole one', async () => {
    const w = await inWorld();
    expect(w.messages('join')).toEqual([expect.objectContaining({ has: null })]);
    await trainedFrom(w, 1, { hash: checkpoint });
    await trainedFrom(w, 2, { hash: weightsHash(next), base: checkpoint, frame: two });
    expect(w.session.models().latest?.weights).toEqual(next);
    // Sent again without a byte, as to one who has it.
    await trainedFrom(w, 3, { hash: weightsHash(next), base: weightsHash(next), frame: stepsOf() });
    w.peer.drop();
    w.peer.welcome({ ...welcome, runs: [summary] });
    await until(w.session, () => w.messages('join').length === 2);
    expect(w.messages('join')[1]).toMatchObject({ has: weightsHash(next) });
  });

  it('from a model that is not here are not guessed: the whole one is fetched', async () => {
    const w = await inWorld();
    await trainedFrom(w, 1, { hash: checkpoint });
    const pulled: Up<'pull'>[] = [];
    w.peer.answer('pull', (message) => {
      pulled.push(message);
      return { ok: true, value: { round: 1, checkpoint: weightsHash(next), frame: frameOf(next) } };
    });
    await trainedFrom(w, 2, { hash: weightsHash(next), base: 'e'.repeat(64), frame: two });
    expect(pulled).toEqual([{ run: 'r-1' }]);
    expect(w.session.models().latest?.weights).toEqual(next);
  });

  it('that lead elsewhere than they should are not trained on: the exact model is fetched', async () => {
    const w = await inWorld();
    await trainedFrom(w, 1, { hash: checkpoint });
    const other = Float32Array.from(next, (value) => value + 1);
    const pulled: Up<'pull'>[] = [];
    w.peer.answer('pull', (message) => {
      pulled.push(message);
      return { ok: true, value: { round: 1, checkpoint: weightsHash(other), frame: frameOf(other) } };
    });
    await trainedFrom(w, 2, { hash: weightsHash(other), base: checkpoint, frame: two });
    expect(pulled).toEqual([{ run: 'r-1' }]);
    // From then on that is the model that steps begin from.
    await trainedFrom(w, 3, { hash: weightsHash(other), base: weightsHash(other), frame: stepsOf() });
    expect(pulled).toHaveLength(1);
  });

  it('in place of which a wrong model comes are not trained on', async () => {
    const w = await inWorld();
    await trainedFrom(w, 1, { hash: checkpoint });
    w.peer.answer('pull', () => ({
      ok: true,
      value: { round: 1, checkpoint: 'd'.repeat(64), frame: frameOf(next) },
    }));
    const elsewhere = { name: 'model', hash: 'd'.repeat(64), base: checkpoint, frame: two };
    w.peer.push('ask', asking(2, { parcels: [elsewhere] }));
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
    const { session, peer, enter, answered } = await world();
    await enter();
    peer.push('ask', asking());
    await until(session, doing('delivered'));
    expect(answered()).toMatchObject([
      {
        ticket: ticketOf(1),
        weight: 3,
        vectors: { model: [0.5, 0.5] },
        train: { examples: 3, loss: 0.75 },
        held: { examples: 1, loss: 1 },
      },
    ]);
    peer.push('round-end', ending());
    expect(session.state).toMatchObject({ accepted: 1, activity: { kind: 'waiting' } });
    expect(session.state.outcomes).toEqual([{ round: 1, outcome: 'accepted', reason: null }]);
  });

  it('measures nothing where the plan says so, and trains on no more for it', async () => {
    const trainer = scripted();
    let measured = 0;
    const { measure } = trainer;
    trainer.measure = (data) => {
      measured++;
      return measure(data);
    };
    const { session, peer, messages, enter, answered } = await world({
      trainer,
      plan: { evaluationShare: 0 },
    });
    await enter();
    peer.push('ask', asking());
    await until(session, doing('delivered'));
    expect(answered()).toMatchObject([{ train: { examples: 3 }, held: null }]);
    peer.push('ask', asking(1, { kind: 'evaluate', ticket: 'e1-1.seal' }));
    peer.push('ask', asking(2));
    await until(session, (state) => doing('delivered')(state) && messages('answer').length === 2);
    // Nobody waits for measures that do not come.
    expect(messages('decline')).toEqual([{ run: 'r-1', ticket: 'e1-1.seal', reason: 'data-empty' }]);
    expect(session.state.localMetrics).toEqual([]);
    expect(measured).toBe(0);
  });

  it('clips before anything leaves the device', async () => {
    const { session, peer, enter, answered } = await world({ plan: { clipNorm: 0.1 } });
    await enter();
    peer.push('ask', asking());
    await until(session, doing('delivered'));
    expect(Math.hypot(...(answered()[0]?.vectors.model ?? []))).toBeCloseTo(0.1, 6);
    expect(session.state.outbound.at(-1)).toMatchObject({ name: 'answer', norm: expect.closeTo(0.1, 6) });
  });

  it('keeps an outbound log of every message, without data or frames', async () => {
    const { session, peer, enter } = await world();
    await enter();
    peer.push('ask', asking());
    await until(session, doing('delivered'));
    const names = session.state.outbound.map((record) => record.name);
    expect(names).toEqual(['join', 'availability', 'pull', 'progress', 'answer']);
    for (const { fields } of session.state.outbound) expect(fields).not.toHaveProperty('frame');
    expect(session.state.sent.messages).toBe(5);
  });

  it('comes back after a lost line, joins again, and sends the update it has made rather than train again', async () => {
    const trainer = scripted();
    const { session, peer, messages, enter } = await world({ trainer });
    await enter();
    peer.answer('answer', () => new Promise(() => {}));
    peer.push('ask', asking());
    await until(session, doing('sending'));
    peer.drop();
    await until(session, (state) => state.connection === 'offline');
    const sent: Up<'answer'>[] = [];
    peer.answer('answer', (message) => {
      sent.push(message);
      return { ok: true, value: { duplicate: true, next: null } };
    });
    peer.welcome({ ...welcome, runs: [summary] });
    await until(session, (state) => state.connection === 'online' && messages('join').length === 2);
    peer.push('ask', asking(1, { attempt: 2 }));
    await until(session, doing('delivered'));
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject({ ticket: ticketOf(1, 2) });
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
    peer.push('ask', asking());
    await until(session, doing('evaluating'));
    while (trainer.trained === 0) await Promise.resolve();
    await session.pause();
    release();
    expect(messages('decline')).toEqual([{ run: 'r-1', ticket: ticketOf(1), reason: 'paused' }]);
    expect(messages('availability').at(-1)).toMatchObject({ paused: true });
    expect(messages('answer')).toEqual([]);
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
    peer.push('ask', asking());
    await until(session, doing('evaluating'));
    while (plain.trained === 0) await Promise.resolve();
    await session.pause();
    release();
    await new Promise((resolve) => setImmediate(resolve));
    expect(session.state.activity.kind).toBe('paused');
    expect(messages('answer')).toEqual([]);
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
    peer.push('ask', asking());
    while (hows.length === 0) await Promise.resolve();
    // FedProx pulls toward the weights that came with the round.
    const objective = { scale: 1, pull: 0.5, anchor: global, offset: null };
    expect(hows).toEqual([expect.objectContaining({ ...training, objective })]);
  });

  it('declines by name when its training diverges, and stays in', async () => {
    const trainer = scripted(() => Promise.reject(new CoppiceError('training-diverged', 'NaN.')));
    const { session, peer, messages, enter } = await world({ trainer });
    await enter();
    peer.push('ask', asking());
    await until(session, (state) => state.error?.code === 'training-diverged');
    expect(messages('decline')).toEqual([{ run: 'r-1', ticket: ticketOf(1), reason: 'training-diverged' }]);
    // That the round then came to nothing says less than why.
    const abandoned = {
      outcome: 'abandoned',
      reason: { code: 'quorum-lost', message: 'Too few.' },
      accepted: 0,
    } as const;
    peer.push('round-end', ending(1, { ...abandoned, you: 'declined' }));
    expect(session.state.outcomes).toMatchObject([{ round: 1, outcome: 'declined' }]);
    expect(session.state.error?.code).toBe('training-diverged');
    peer.push('round-end', ending(1, { ...abandoned, attempt: 2, you: 'late' }));
    expect(session.state.error?.code).toBe('quorum-lost');
    expect(session.state).toMatchObject({ joined: { run: 'r-1' }, activity: { kind: 'waiting' } });
  });

  it.each([
    ['longer than the plan lets count', 'update-norm', { maxNorm: 0.5 }, 0.5],
    [
      'beside a change of its control variate that is',
      'update-norm',
      { strategy: 'scaffold', controlVariate: 'steps', controlNorm: 1e-3 },
      0.5,
    ],
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
    peer.push('ask', asking());
    await until(session, (state) => state.error?.code === code);
    expect(messages('decline')).toEqual([{ run: 'r-1', ticket: ticketOf(1), reason: code }]);
    expect(messages('answer')).toEqual([]);
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
    peer.push('ask', asking());
    clock.jump(-2 * off);
    await until(session, doing('delivered'));
    expect(messages('answer')).toHaveLength(1);
  });

  it('takes the current model when its update comes too late', async () => {
    const { session, peer, enter } = await world();
    await enter();
    const newer = new Float32Array([5, 6]);
    peer.answer('answer', () => {
      const model = { round: 1, checkpoint: weightsHash(newer), frame: frameOf(newer) };
      peer.answer('pull', () => ({ ok: true, value: model }));
      return { ok: false, error: { code: 'update-late', message: 'Too late.' } };
    });
    peer.push('ask', asking());
    await until(session, (state) => state.error?.code === 'update-late' && state.model?.round === 1);
    expect(session.models().latest).toMatchObject({ round: 1, weights: newer });
    expect(session.models().first).toMatchObject({ round: 0 });
  });

  it('joins again where it is not known in the run, and sends the update that it made', async () => {
    const trainer = scripted();
    const { session, peer, messages, enter } = await world({ trainer });
    await enter();
    peer.answer('answer', () => {
      // The round comes again after the join, as for everyone who comes back.
      peer.answer('answer', () => ({ ok: true, value: { duplicate: false, next: null } }));
      setImmediate(() => peer.push('ask', asking()));
      return { ok: false, error: { code: 'not-joined', message: 'Join.' } };
    });
    peer.push('ask', asking());
    await until(session, doing('delivered'));
    expect(messages('join')).toHaveLength(2);
    expect(trainer.trained).toBe(1);
    expect(messages('decline')).toEqual([]);
  });

  it('sends a frame that was damaged on the way again, and declines when that does not help', async () => {
    const { session, peer, messages, enter } = await world();
    await enter();
    let times = 0;
    peer.answer('answer', () => {
      times++;
      return { ok: false, error: { code: 'frame-invalid', message: 'Damaged.' } };
    });
    peer.push('ask', asking());
    await until(session, (state) => state.error?.code === 'frame-invalid');
    expect(times).toBe(3);
    expect(messages('decline')).toMatchObject([{ reason: 'frame-invalid' }]);
  });

  it('trains anew after an update that was refused for what it is', async () => {
    const trainer = scripted();
    const { session, peer, enter } = await world({ trainer });
    await enter();
    peer.answer('answer', () => ({
      ok: false,
      error: { code: 'update-out-of-range', message: 'Too large.' },
    }));
    peer.push('ask', asking());
    await until(session, (state) => state.error?.code === 'update-out-of-range');
    peer.push('ask', asking(1, { attempt: 2 }));
    while (trainer.trained < 2) await new Promise((resolve) => setImmediate(resolve));
    expect(trainer.trained).toBe(2);
  });

  it('without examples asks for some and is not ready', async () => {
    const { session, messages, enter } = await world({ examples: 0 });
    await enter();
    expect(session.state.activity.kind).toBe('needs-data');
    expect(messages('availability').at(-1)).toMatchObject({ examples: 0 });
  });

  it('trains on all it has where that is too little to split, and measures nothing', async () => {
    const { session, peer, messages, enter, answered } = await world({ examples: 1 });
    await enter();
    peer.push('ask', asking());
    await until(session, doing('delivered'));
    expect(answered()).toMatchObject([{ weight: 1, held: { examples: 0, loss: 0, lossExamples: 0 } }]);
    peer.push('ask', asking(1, { kind: 'evaluate', ticket: 'e1-1.seal' }));
    while (messages('decline').length === 0) await new Promise(setImmediate);
    expect(messages('decline')).toEqual([{ run: 'r-1', ticket: 'e1-1.seal', reason: 'data-empty' }]);
    expect(session.state.localMetrics).toEqual([]);
  });

  it('declines quietly where no example is in the window of the plan', async () => {
    const trainer = scripted();
    // In the world's data no time is known.
    const { session, peer, messages, enter } = await world({ trainer, plan: { window: 7, replayShare: 1 } });
    await enter();
    peer.push('ask', asking());
    while (messages('decline').length === 0) await new Promise(setImmediate);
    expect(messages('decline')).toEqual([{ run: 'r-1', ticket: ticketOf(1), reason: 'data-empty' }]);
    expect(session.state).toMatchObject({ error: null, activity: { kind: 'waiting' } });
    expect(trainer.trained).toBe(0);
  });

  it('drops out where a simulation says so, without training', async () => {
    const trainer = scripted();
    const { peer, messages, enter } = await world({ trainer, dropsOut: (round) => round === 1 });
    await enter();
    peer.push('ask', asking());
    while (messages('decline').length === 0) await Promise.resolve();
    expect(messages('decline')).toMatchObject([{ reason: 'dropout' }]);
    expect(trainer.trained).toBe(0);
  });

  it('measures a model when asked, and trains nothing', async () => {
    const trainer = scripted();
    const { session, peer, messages, enter, answered } = await world({ trainer });
    await enter();
    peer.push('ask', asking(3, { kind: 'evaluate', ticket: 'e3-1.seal' }));
    await until(session, (state) => state.localMetrics.length === 1);
    while (messages('answer').length === 0) await Promise.resolve();
    expect(answered('evaluate')).toEqual([
      {
        ticket: 'e3-1.seal',
        weight: 1,
        vectors: {},
        train: null,
        held: { examples: 1, loss: 1, lossExamples: 1, hits: null, classes: null },
      },
    ]);
    expect(session.state.localMetrics).toMatchObject([{ round: 3, metrics: { loss: 1, examples: 1 } }]);
    expect(trainer.trained).toBe(0);
  });

  it('answers a question to measure when the run is finished, and waits for nothing after its end', async () => {
    const { session, peer, messages, enter, clock, answered } = await world();
    await enter();
    peer.push('run', { run: { ...summary, status: 'finished' }, now: 5 });
    expect(session.state.activity.kind).toBe('ended');
    peer.push('ask', asking(3, { kind: 'evaluate', ticket: 'e3-1.seal' }));
    while (messages('answer').length === 0) await new Promise(setImmediate);
    expect(answered('evaluate')).toMatchObject([{ ticket: 'e3-1.seal', held: { examples: 1 } }]);
    peer.push('run-end', { run: 'r-1', status: 'finished', reason: null });
    peer.push('run', { run: { ...summary, status: 'finished' }, now: 6 });
    clock.advance(10 * ANSWER_TIMEOUT);
    expect(messages('join')).toHaveLength(1);
    expect(session.state).toMatchObject({ joined: { run: 'r-1' }, activity: { kind: 'ended' } });
  });

  it('is at an end where only that is told, and stops its training', async () => {
    const reached = Promise.withResolvers<void>();
    const trainer = scripted(() => {
      reached.resolve();
      return new Promise(() => {});
    });
    const { session, peer, messages, enter, clock } = await world({ trainer });
    await enter();
    peer.push('ask', asking());
    await reached.promise;
    // Of another run: no matter of this one.
    peer.push('run-end', { run: 'r-2', status: 'stopped', reason: null });
    expect(session.state.activity.kind).not.toBe('ended');
    peer.push('run-end', { run: 'r-1', status: 'stopped', reason: null });
    expect(session.state.activity.kind).toBe('ended');
    clock.advance(10 * ANSWER_TIMEOUT);
    expect(messages('join')).toHaveLength(1);
    // It stays joined: its model can be pulled.
    expect((await session.pull('r-1')).weights).toEqual(global);
  });

  it('learns that a run is over where no message told it', async () => {
    const { session, peer, messages, enter, clock } = await world();
    await enter();
    peer.push('run', { run: { ...summary, status: 'finished' }, now: 5 });
    peer.answer('join', () => ({ ok: false, error: { code: 'run-ended', message: 'Over.' } }));
    clock.advance(2 * ANSWER_TIMEOUT);
    await until(session, (state) => state.joined === null);
    expect(session.state.activity.kind).toBe('ended');
    clock.advance(10 * ANSWER_TIMEOUT);
    expect(messages('join')).toHaveLength(1);
  });

  it('declines a question of a kind that it does not know, and stays in', async () => {
    const { session, peer, messages, enter } = await world();
    await enter();
    peer.push('ask', asking(1, { kind: 'mask', ticket: 'm1-1.seal' }));
    while (messages('decline').length === 0) await Promise.resolve();
    const reason = 'backend-unavailable';
    expect(messages('decline')).toEqual([{ run: 'r-1', ticket: 'm1-1.seal', reason }]);
    expect(session.state).toMatchObject({ error: null, activity: { kind: 'waiting' } });
  });

  it('waits as long as it is told to before it sends its answer again', async () => {
    const { session, peer, messages, enter, clock } = await world();
    await enter();
    const error = { code: 'storage-failed', message: 'Later.', retry: 'later', retryAfter: 5000 } as const;
    let times = 0;
    peer.answer('answer', () =>
      ++times === 1 ? { ok: false, error } : { ok: true, value: { duplicate: false, next: null } },
    );
    peer.push('ask', asking());
    while (times === 0) await new Promise(setImmediate);
    await new Promise(setImmediate);
    clock.advance(4999);
    await new Promise(setImmediate);
    expect(times).toBe(1);
    clock.advance(1);
    await until(session, doing('delivered'));
    expect(times).toBe(2);
    expect(messages('decline')).toEqual([]);
  });

  it('goes by the word of an error that it does not know', async () => {
    const { session, peer, messages, enter } = await world();
    await enter();
    // A code of a newer coordinator is read as internal, which could be tried again.
    peer.answer('answer', () => ({
      ok: false,
      error: { code: 'internal', message: 'Too late.', retry: 'with-current-model' },
    }));
    peer.push('ask', asking());
    await until(session, ({ error }) => error?.code === 'internal');
    expect(messages('decline')).toEqual([]);
    expect(session.state.activity.kind).toBe('waiting');
  });

  it('answers a question that comes while its data is being opened', async () => {
    const opening = Promise.withResolvers<void>();
    const { session, peer, messages } = await world({ opened: opening.promise });
    const joining = session.join('r-1');
    peer.welcome({ ...welcome, runs: [summary] });
    while (messages('join').length === 0) await Promise.resolve();
    await until(session, ({ joined }) => joined !== null);
    peer.push('ask', asking());
    await until(session, doing('preparing'));
    await new Promise(setImmediate);
    expect(messages('answer')).toEqual([]);
    opening.resolve();
    await joining;
    await until(session, doing('delivered'));
    expect(messages('answer')).toHaveLength(1);
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
    peer.push('ask', asking());
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
    expect(messages('answer')).toEqual([]);
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
