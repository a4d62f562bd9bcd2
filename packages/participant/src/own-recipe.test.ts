import { defaultPlan, recipeHash, type TableData } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { withOwnRecipe } from './own-recipe.ts';
import { checkpoint, layout, layoutsOf, summary, task, until, world } from './session-world.ts';

const { train, evaluate } = layoutsOf(defaultPlan);
const joined = (recipe: string) => ({
  ok: true as const,
  value: {
    run: summary,
    task,
    plan: defaultPlan,
    layout,
    answers: { train: [...train], evaluate: [...evaluate] },
    checkpoint,
    recipe,
  },
});
const own = recipeHash(task.data);
/** Of data with a part that this program drops as unknown. */
const other = recipeHash({ ...(task.data as TableData), features: [{ name: 'x', mean: 0, scale: 2 }] });

describe('the recipe that comes with a run', () => {
  it('is taken where it is that of the task', () => {
    expect(withOwnRecipe(joined(own))).toEqual(joined(own));
    const refused = { ok: false, error: { code: 'run-ended', message: 'Over.' } } as const;
    expect(withOwnRecipe(refused)).toBe(refused);
    expect(withOwnRecipe(joined(other))).toMatchObject({
      ok: false,
      error: { code: 'plan-unsupported', retry: 'reload' },
    });
  });

  it('keeps a session out where it is another, and the coordinator does not wait for it', async () => {
    const { session, peer, enter, told } = await world();
    peer.answer('join', () => joined(other));
    const refused = until(session, ({ error }) => error !== null);
    void enter();
    expect(await refused).toMatchObject({ joined: null, error: { code: 'plan-unsupported' } });
    expect(told).toContainEqual({ name: 'leave', message: { run: 'r-1' } });
  });
});
