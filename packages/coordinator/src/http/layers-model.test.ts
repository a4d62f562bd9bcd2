import { type Checkpoint, recipeHash, type TableData } from '@coppice/protocol';
import { sampleTask } from '@coppice/protocol/testing';
import { expect, it } from 'vitest';
import { layersModel } from './models.ts';

const checkpoint: Checkpoint = {
  id: 'prices-1/2',
  hash: 'ab'.repeat(32),
  run: 'prices-1',
  task: 'prices',
  round: 2,
  parent: null,
  createdAt: 0,
  central: { loss: 0.25, accuracy: null, examples: 10 },
  federated: null,
  parameters: 2,
};

it('tells how inputs are made, and how outputs and the error are read in the unit of the target', () => {
  const data: TableData = {
    kind: 'table',
    features: [{ kind: 'category', name: 'kind', values: ['oak', 'elm'] }],
    target: { kind: 'number', name: 'price', unit: '€', mean: 1000, scale: 250 },
  };
  const metadata = (of: TableData, central = checkpoint.central) =>
    layersModel({ model: sampleTask.model, data: of, loss: 'meanSquaredError' }, [], {
      weights: 'weights.bin',
      checkpoint: { ...checkpoint, central },
    }).userDefinedMetadata.coppice;
  expect(metadata(data)).toEqual({
    checkpoint: checkpoint.hash,
    run: 'prices-1',
    round: 2,
    central: checkpoint.central,
    recipe: recipeHash(data),
    target: { unit: '€', mean: 1000, scale: 250, error: 125 },
  });
  expect(metadata(data, null).target?.error).toBeNull();
  expect(metadata({ ...data, target: { kind: 'number', name: 'price' } }).target).toEqual({
    unit: null,
    mean: 0,
    scale: 1,
    error: 0.5,
  });
});
