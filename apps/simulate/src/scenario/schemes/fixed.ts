import type { Scenario } from '../scenario.ts';
import type { World } from '../world.ts';
import { NOTHING, type Scheme } from './scheme.ts';

/** A run from production at the end of every so many periods, released at once whatever came of it. */
export function fixed(world: World, { again, every }: Pick<Scenario, 'again' | 'every'>): Scheme {
  let model = '';
  return {
    async begin({ hash }) {
      model = hash;
    },
    modelOf: () => model,
    predicted: async () => {},
    async after(period) {
      if (period % every !== 0) return NOTHING;
      const { rounds, trained, ...made } = await world.train(again, 'production');
      await world.release(made, 'on schedule');
      model = made.hash;
      return { ...NOTHING, rounds, trained, releases: 1 };
    },
  };
}
