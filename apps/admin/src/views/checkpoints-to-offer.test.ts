import { expect, it } from 'vitest';
import { runOf } from '../live/fixtures.ts';
import { checkpointsToOffer } from './checkpoints-to-offer.ts';

const measured = { loss: 0.2, accuracy: 0.9, examples: 30 };
const all = [
  runOf({ id: 'iris-3', round: 0 }),
  runOf({ id: 'iris-2', round: 7, central: measured }),
  runOf({ id: 'regression-1', task: 'regression', round: 2 }),
  runOf({ id: 'iris-1', round: 4 }),
];

it('offers the newest trained model of each run of the task', () => {
  expect(checkpointsToOffer(all, 'iris', null)).toEqual([
    { id: 'iris-2/7', accuracy: 0.9 },
    { id: 'iris-1/4', accuracy: null },
  ]);
});

it('keeps what was chosen when a newer round is committed', () => {
  expect(checkpointsToOffer(all, 'iris', 'iris-2/6').map(({ id }) => id)).toEqual([
    'iris-2/6',
    'iris-2/7',
    'iris-1/4',
  ]);
});
