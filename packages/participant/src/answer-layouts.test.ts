import { defaultPlan, type Joined, recipeHash, type TensorSpec } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { withOwnLayouts } from './answer-layouts.ts';
import { checkpoint, layout, layoutsOf, summary, task, until, world } from './session-world.ts';

const plan = defaultPlan;
const { train, evaluate } = layoutsOf(plan);
const joined = (answers: Partial<Record<'train' | 'evaluate', readonly TensorSpec[]>> = {}) => {
  const laidOut = { train: [...(answers.train ?? train)], evaluate: [...(answers.evaluate ?? evaluate)] };
  const recipe = recipeHash(task.data);
  const value: Joined = { run: summary, task, plan, layout, answers: laidOut, checkpoint, recipe };
  return { ok: true as const, value };
};
const [first, ...others] = train as [TensorSpec, ...TensorSpec[]];

describe('the layouts of answers that come with a run', () => {
  it('are taken where they are those of its model, task and plan', () => {
    expect(withOwnLayouts(joined())).toEqual(joined());
    // Limits may change from round to round.
    const bounded = joined({ train: [{ ...first, bound: 3 }, ...others] });
    expect(withOwnLayouts(bounded)).toEqual(bounded);
    const refused = { ok: false, error: { code: 'run-ended', message: 'Over.' } } as const;
    expect(withOwnLayouts(refused)).toBe(refused);
  });

  it.each<[string, Parameters<typeof joined>[0]]>([
    ['train', { train: [{ ...first, shape: [2 ** 20] }, ...others] }],
    ['train', { train: [{ ...first, weighted: 'one' }, ...others] }],
    ['train', { train: others }],
    ['train', { train: [...train, { ...(others.at(-1) as TensorSpec), name: 'held/examples-in-full' }] }],
    ['evaluate', { evaluate: train }],
  ])('are refused by name where those of %s differ', (kind, answers) => {
    const reply = withOwnLayouts(joined(answers));
    expect(reply).toMatchObject({ ok: false, error: { code: 'message-invalid', retry: 'never' } });
    expect(reply.ok ? '' : reply.error.message).toContain(`"${kind}"`);
  });

  it('keep a session out of a run that comes with others', async () => {
    const { session, peer, enter } = await world();
    peer.answer('join', () => joined({ train: [{ ...first, shape: [2 ** 20] }, ...others] }));
    const refused = until(session, ({ error }) => error !== null);
    void enter();
    expect(await refused).toMatchObject({ joined: null, error: { code: 'message-invalid' } });
  });
});
