import { expect, it } from 'vitest';
import { Models } from '../models.ts';
import { checkpoint, frame, global } from '../session-world.ts';
import { KeptModels } from './kept-models.ts';
import { StateStore } from './state-store.ts';

function world(wanted: boolean) {
  const pulled: string[] = [];
  const models = new Models({
    pull: async ({ run }) => {
      pulled.push(run);
      return { round: 3, checkpoint, frame };
    },
    request: () => Promise.reject(new Error('nothing is asked for in pieces')),
    joined: () => null,
  });
  const store = new StateStore();
  return { kept: new KeptModels({ models, store, wanted }), models, store, pulled };
}

it('fetches the current model once, and shows which one it has', async () => {
  const { kept, models, store, pulled } = world(true);
  await kept.catchUp('r-1', checkpoint);
  await kept.catchUp('r-1', checkpoint);
  expect(pulled).toEqual(['r-1']);
  expect(store.state.model).toEqual({ round: 3, checkpoint });
  expect(models.latest?.weights).toEqual(global);
  kept.keep({ round: 2, checkpoint: '0'.repeat(64), weights: global });
  expect(store.state.model).toEqual({ round: 3, checkpoint });
});

it('fetches and keeps none where none is wanted', async () => {
  const { kept, models, store, pulled } = world(false);
  await kept.catchUp('r-1', checkpoint);
  kept.renew('r-1');
  kept.keep({ round: 2, checkpoint, weights: global });
  expect([pulled, models.latest, store.state.model]).toEqual([[], null, null]);
});
