import { strategyOf } from '@coppice/federation';
import { completePlan, type Layout } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { id, world } from './run-world.ts';

const layout: Layout = [
  { name: 'head', shape: [1], trainable: true },
  { name: 'base', shape: [1], trainable: false, frozen: true },
  { name: 'mean', shape: [1], trainable: false },
];

it.each(['fedavg', 'fedadam', 'scaffold', 'median'] as const)(
  'moves nothing that is frozen, and takes no numbers of it: %s',
  async (strategy) => {
    const plan = completePlan({}, { strategy, rounds: 1, evaluationShare: 0, minParticipants: 3 });
    const w = await world(plan, { layout, strategy: strategyOf(plan) });
    for (const n of [1, 2, 3]) w.join(n);
    const [head, base, mean] = w.join(1).answers.train;
    expect([head?.role, base?.role, mean?.role]).toEqual(['step', 'frozen', 'average']);
    expect(base).toMatchObject({ name: 'base', shape: [1] });
    await w.engine.act('start');
    const more = strategy === 'scaffold' ? [[0.5]] : [];
    for (const n of [1, 2, 3]) {
      const answer = w.answerOf(id(n), [n / 2, n / 4], 1, { evaluation: null, more });
      await w.engine.answer(id(n), answer);
    }
    await w.settled();
    const { weights } = (await w.storage.latest('toy-1')) ?? {};
    expect(weights?.[0]).toBeGreaterThan(1);
    expect(weights?.[1]).toBe(2);
    expect(weights?.[2]).toBe(3.5);
  },
);

it('requires participants that leave frozen numbers out', async () => {
  expect((await world({}, { layout })).engine.requires).toEqual(['role:frozen']);
  expect((await world()).engine.requires).toEqual([]);
});
