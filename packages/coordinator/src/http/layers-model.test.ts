import { builtInTask, describeInput } from '@coppice/datasets';
import { type Checkpoint, recipeHash, type TableData } from '@coppice/protocol';
import { sampleTask } from '@coppice/protocol/testing';
import { expect, it } from 'vitest';
import { modelMetadata } from './model-metadata.ts';
import { layersModel } from './models.ts';

const checkpoint: Checkpoint = {
  id: 'prices-1/2',
  hash: 'ab'.repeat(32),
  run: 'prices-1',
  task: 'prices',
  round: 2,
  parent: 'prices-1/1',
  createdAt: 7,
  central: { loss: 0.25, accuracy: null, examples: 10 },
  federated: { loss: 0.5, accuracy: null, examples: 4 },
  parameters: 2,
};
const task = { ...sampleTask, id: 'prices', title: { en: 'Prices', zh: '价格' } };

it('tells how inputs are made, how outputs and the error are read, and where the model comes from', () => {
  const data: TableData = {
    kind: 'table',
    features: [{ kind: 'category', name: 'kind', values: ['oak', 'elm'] }],
    target: { kind: 'number', name: 'price', unit: '€', mean: 1000, scale: 250 },
  };
  const metadata = (of: TableData, central = checkpoint.central) =>
    layersModel(task.model, [], {
      folder: '',
      weights: 'float32',
      metadata: modelMetadata(
        { ...task, data: of, loss: 'meanSquaredError', licence: 'CC BY 4.0' },
        { ...checkpoint, central },
        'prices-0/9',
      ),
    }).userDefinedMetadata.coppice;
  expect(metadata(data)).toEqual({
    checkpoint: checkpoint.hash,
    run: 'prices-1',
    round: 2,
    central: checkpoint.central,
    federated: checkpoint.federated,
    recipe: recipeHash(data),
    task: { id: 'prices', title: { en: 'Prices', zh: '价格' }, description: task.description },
    data,
    input: {
      kind: 'table',
      shape: [3],
      columns: [{ kind: 'category', name: 'kind', at: 0, values: ['oak', 'elm'] }],
      steps: [expect.any(String), expect.stringContaining('a last one for any other value')],
    },
    classes: null,
    output: 'values',
    target: { name: 'price', unit: '€', mean: 1000, scale: 250, error: 125 },
    loss: 'meanSquaredError',
    lineage: { parent: 'prices-1/1', from: 'prices-0/9' },
    parameters: 2,
    createdAt: 7,
    licence: 'CC BY 4.0',
  });
  expect(metadata(data, null).target).toMatchObject({ error: null });
  expect(metadata({ ...data, target: { kind: 'number', name: 'price' } }).target).toEqual({
    name: 'price',
    unit: null,
    mean: 0,
    scale: 1,
    error: 0.5,
  });
});

it('names the classes in the order of the outputs, and no licence where the task states none', () => {
  const iris = builtInTask('iris');
  if (iris === undefined) throw new Error('iris is built in');
  const told = modelMetadata(iris, checkpoint, null);
  expect([told.classes, told.target, told.licence, told.output]).toEqual([
    ['setosa', 'versicolor', 'virginica'],
    null,
    null,
    'class-probabilities',
  ]);
  expect(modelMetadata({ ...iris, loss: 'binaryCrossentropy' }, checkpoint, null).output).toBe(
    'second-class-probability',
  );
  expect(told.input).toEqual(describeInput(iris.data));
  expect(told.output).toBe('class-probabilities');
  const binary = { ...iris, loss: 'binaryCrossentropy' as const };
  expect(modelMetadata(binary, checkpoint, null).output).toBe('second-class-probability');
});
