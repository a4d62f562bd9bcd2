import { seededRandom, shuffle, uniform } from '@coppice/ports';
import { expect, it } from 'vitest';
import { tallyMeasures } from './contributions/train-measures.ts';
import { ownMeans, quartilesOf, SPREAD_PARTICIPANTS } from './spread.ts';

it('interpolates linearly, as type 7 of Hyndman and Fan (1996) does', () => {
  expect(quartilesOf([9, 1, 4, 7, 2])).toEqual({ lower: 2, median: 4, upper: 7, participants: 5 });
  expect(quartilesOf([0.5, 3, 1, 8, 2, 1.5])).toEqual({
    lower: 1.125,
    median: 1.75,
    upper: 2.75,
    participants: 6,
  });
});

it('is of no participant alone, and of none that told nothing', () => {
  const four = Array<number>(SPREAD_PARTICIPANTS - 1).fill(1);
  expect(quartilesOf(four)).toBeNull();
  expect(quartilesOf([...four, null, null])).toBeNull();
  expect(quartilesOf([...four, null, 1])).toMatchObject({ participants: SPREAD_PARTICIPANTS });
});

it('does not depend on order, and one participant moves it no further than the others reach', () => {
  const random = seededRandom('spread');
  for (let n = 0; n < 200; n++) {
    const honest = Array.from({ length: 4 + (n % 20) }, () => uniform(random));
    const all = [...honest, n % 2 === 0 ? 1024 : 0];
    const spread = quartilesOf(all);
    expect(quartilesOf(shuffle([...all], random))).toEqual(spread);
    for (const one of [spread?.lower, spread?.median, spread?.upper]) {
      expect(one).toBeGreaterThanOrEqual(Math.min(...honest));
      expect(one).toBeLessThanOrEqual(Math.max(...honest));
    }
  }
});

it('is of the means that a participant’s own sums come to', () => {
  const held = {
    examples: 4,
    loss: 3,
    lossExamples: 4,
    hits: 1,
    classes: { examples: [4, 0], hits: [1, 0] },
  };
  const train = { examples: 8, loss: 0, lossExamples: 0, hits: null, classes: null };
  const measures = new Map([...tallyMeasures('train', train), ...tallyMeasures('held', held)]);
  expect(ownMeans(measures)).toEqual({ trainingLoss: null, loss: 0.75, accuracy: 0.25, held: 4 });
  const none = { ...held, examples: 0, loss: 0, lossExamples: 0, hits: 0 };
  expect(ownMeans(tallyMeasures('held', none))).toMatchObject({
    trainingLoss: null,
    loss: null,
    accuracy: null,
    held: 0,
  });
});
