import { columnSums, columnSumsLayout, encodeMeasures } from '@coppice/federation';
import {
  type Answer,
  agreedColumns,
  CoppiceError,
  contributionHash,
  contributionSize,
  encodeFrame,
  float32Payload,
  recipeHash,
  type Task,
  withScaling,
} from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { id, world } from './run-world.ts';
import { AGREEMENT_PAUSE } from './scaling-agreement.ts';

const data: Task['data'] = {
  kind: 'table',
  features: [{ name: 'x', mean: 0, scale: 1, min: 0, max: 8 }],
  target: { kind: 'class', name: 'y', classes: ['no', 'yes'] },
  scaling: 'agreed',
};
const columns = agreedColumns(data);

type World = Awaited<ReturnType<typeof agreeing>>;

const agreeing = async (plan: Parameters<typeof world>[0] = {}, more: Parameters<typeof world>[1] = {}) =>
  world({ minParticipants: 2, ...plan }, { data, ...more });

/** A participant's sums of these values of the column. */
function sumsOf({ asks, engine }: World, n: number, values: readonly number[]): Answer {
  const layout = columnSumsLayout(columns, engine.record.plan.maxExamples);
  const examples = { features: values, labels: values.map(() => 0), rows: values.map((_, row) => row) };
  const ticket = asks('statistics').findLast(({ to }) => to.includes(id(n)))?.message.ticket ?? 'none';
  return {
    run: 'toy-1',
    ticket,
    weight: 1,
    milliseconds: 0,
    frame: encodeFrame({
      kind: 'contribution',
      codec: 'float32',
      layoutHash: contributionHash(layout),
      parameters: contributionSize(layout),
      payload: float32Payload(encodeMeasures(layout, columnSums(columns, examples, 1000))),
    }),
  };
}

const answer = (one: World, n: number, values: readonly number[]) =>
  one.engine.answer(id(n), sumsOf(one, n, values));
const ten = (value: number) => Array.from({ length: 10 }, () => value);

describe('the agreement on a scaling', () => {
  it('comes before the first round, waits for three, and every member gets the same numbers', async () => {
    const run = await agreeing();
    await run.engine.act('start');
    const joined = run.join(1);
    run.join(2);
    // A round would begin with two.
    expect([run.engine.summary().phase, run.engine.summary().needed]).toEqual(['waiting', 3]);
    expect(joined.answers.statistics).toEqual(columnSumsLayout(columns, run.engine.record.plan.maxExamples));
    run.join(3);
    expect(run.engine.summary().phase).toBe('scaling');
    expect(run.asks('statistics').flatMap(({ to }) => to)).toHaveLength(3);
    expect(run.asks('statistics')[0]?.message).toMatchObject({ round: 0, parcels: [] });
    await answer(run, 1, ten(1));
    await answer(run, 2, ten(3));
    expect(run.scalings).toEqual([]);
    await answer(run, 3, ten(8));
    await run.settled();
    const scaling = {
      participants: 3,
      examples: 30,
      means: [4],
      scales: [expect.closeTo(Math.sqrt((9 + 1 + 16) / 3), 12)],
    };
    expect(run.scalings).toEqual([scaling]);
    const scaled = { ...data, ...withScaling(data, run.scalings[0] as never) };
    expect(run.messages('scaling')).toEqual([
      { to: [1, 2, 3].map(id), message: { run: 'toy-1', scaling, recipe: recipeHash(scaled) } },
    ]);
    expect(run.engine.record.task.data).toEqual(scaled);
    // The question to train comes after it.
    const names = run.sent.map(({ name }) => name);
    expect(names.indexOf('scaling')).toBeLessThan(
      run.sent.findIndex(({ message }) => 'kind' in message && message.kind === 'train'),
    );
    expect([run.engine.summary().phase, run.engine.summary().needed]).toEqual(['collect', 2]);
    expect(run.events).toContain('scaling-agreed');
    const late = run.join(4);
    expect(late.task.data).toEqual(scaled);
    expect(late.recipe).toBe(recipeHash(scaled));
    expect(late.answers.statistics).toBeUndefined();
  });

  it('does not begin with too few examples', async () => {
    const run = await agreeing();
    await run.engine.act('start');
    for (const n of [1, 2, 3]) run.join(n, undefined, 6);
    expect(run.engine.summary().phase).toBe('waiting');
    run.engine.availability(id(3), { run: 'toy-1', paused: false, examples: 8 });
    expect(run.engine.summary().phase).toBe('scaling');
  });

  it('fails where the answers are of too few examples, or too few answer, and is tried again', async () => {
    const run = await agreeing();
    await run.engine.act('start');
    for (const n of [1, 2, 3]) run.join(n);
    for (const n of [1, 2, 3]) await answer(run, n, [n]);
    await run.settled();
    expect(run.scalings).toEqual([]);
    expect(run.events).toContain('scaling-failed');
    expect(run.engine.summary().phase).not.toBe('scaling');
    run.clock.advance(AGREEMENT_PAUSE);
    expect(run.engine.summary().phase).toBe('scaling');
    run.engine.decline(id(1), {
      run: 'toy-1',
      ticket: sumsOf(run, 1, [1]).ticket,
      reason: 'backend-unavailable',
    });
    await run.settled();
    run.clock.advance(AGREEMENT_PAUSE);
    for (const n of [1, 2, 3]) await answer(run, n, ten(n));
    await run.settled();
    expect(run.scalings).toHaveLength(1);
    expect(run.engine.summary().phase).toBe('collect');
  });

  it('ends at its deadline with those that answered, if they are enough', async () => {
    const run = await agreeing({ deadlineSeconds: 60 });
    await run.engine.act('start');
    for (const n of [1, 2, 3]) run.join(n);
    run.join(4);
    for (const n of [1, 2, 3]) await answer(run, n, ten(n));
    await run.settled();
    // The fourth came after the question.
    expect(run.scalings[0]?.participants).toBe(3);
  });

  it('refuses sums that no examples can have, and goes on without their sender', async () => {
    const run = await agreeing();
    await run.engine.act('start');
    for (const n of [1, 2, 3, 4]) run.join(n);
    const lie = sumsOf(run, 1, [1]);
    const layout = columnSumsLayout(columns, run.engine.record.plan.maxExamples);
    const frame = encodeFrame({
      kind: 'contribution',
      codec: 'float32',
      layoutHash: contributionHash(layout),
      parameters: contributionSize(layout),
      payload: float32Payload(new Float32Array([10, 1000, 0, 10, 0])),
    });
    await expect(run.engine.answer(id(1), { ...lie, frame })).rejects.toMatchObject({
      code: 'update-measure',
    });
  });

  it('asks a member that comes back, and takes its answer once', async () => {
    const run = await agreeing();
    await run.engine.act('start');
    for (const n of [1, 2, 3]) run.join(n);
    run.engine.connectionLost(id(1));
    const before = run.asks('statistics').length;
    run.join(1);
    expect(run.asks('statistics')).toHaveLength(before + 1);
    await answer(run, 1, ten(2));
    expect(await answer(run, 1, ten(7))).toMatchObject({ duplicate: true });
    for (const n of [2, 3]) await answer(run, n, ten(2));
    await run.settled();
    expect(run.scalings[0]?.means).toEqual([2]);
  });

  it('is told to nobody unless it is stored, and is tried again', async () => {
    let full = true;
    const run = await agreeing(
      {},
      {
        agree: () =>
          full ? Promise.reject(new CoppiceError('storage-full', 'no space')) : Promise.resolve(),
      },
    );
    await run.engine.act('start');
    for (const n of [1, 2, 3]) run.join(n);
    for (const n of [1, 2, 3]) await answer(run, n, ten(n));
    await run.settled();
    expect(run.messages('scaling')).toEqual([]);
    expect(run.asks('train')).toEqual([]);
    full = false;
    run.clock.advance(AGREEMENT_PAUSE);
    for (const n of [1, 2, 3]) await answer(run, n, ten(n));
    await run.settled();
    expect(run.messages('scaling')).toHaveLength(1);
    expect(run.asks('train')).not.toEqual([]);
  });

  it('ends where another run of the task came first', async () => {
    const run = await agreeing();
    await run.engine.act('start');
    for (const n of [1, 2, 3]) run.join(n);
    const scaling = { participants: 5, examples: 50, means: [1], scales: [2] };
    await run.engine.takeScaling(scaling);
    expect(run.engine.summary().phase).toBe('collect');
    expect(run.messages('scaling').map(({ message }) => message.scaling)).toEqual([scaling]);
    // Its own sums came to nothing; another scaling comes to nothing as well.
    await expect(answer(run, 1, ten(1))).rejects.toMatchObject({ code: 'update-late' });
    await run.engine.takeScaling({ ...scaling, means: [9] });
    expect(run.messages('scaling')).toHaveLength(1);
  });

  it('ends with the run', async () => {
    const run = await agreeing();
    await run.engine.act('start');
    for (const n of [1, 2, 3]) run.join(n);
    await run.engine.act('stop');
    expect(run.engine.summary().phase).toBe('idle');
    expect(run.engine.isAtRest).toBe(true);
  });
});
