import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { builtInTasks } from '@coppice/datasets';
import { expect, it } from 'vitest';

/* Threads start in a fraction of the time where they need no tfjs, which none of the built-in tasks do. */
const program = (id: string, loadsTfjs: boolean) => `
import { builtInTasks } from '@coppice/datasets';
import { inputSize, layoutSize } from '@coppice/protocol';
import { createTrainer, layoutOf } from '@coppice/training';
const { model, data, loss } = builtInTasks.find((task) => task.id === '${id}');
const description = { topology: model, data, loss };
const trainer = await createTrainer(description, { backend: 'planned', seed: 1 });
${loadsTfjs ? 'await trainer.getWeights();' : 'trainer.setWeights(new Float32Array(layoutSize(trainer.layout)).fill(0.01));'}
const examples = { count: 2, xs: new Float32Array(2 * inputSize(data)).fill(0.5), ys: new Float32Array(2) };
const how = { epochs: 1, batchSize: 2, optimizer: 'sgd', learningRate: 0.01, shuffleSeed: 's' };
const { weights } = await trainer.train(examples, how);
const { examples: measured } = await trainer.evaluate(examples);
const same = JSON.stringify(await layoutOf(description)) === JSON.stringify(trainer.layout);
process.stdout.write(JSON.stringify({
  backend: trainer.backend, measured, same, finite: weights.every(Number.isFinite), tfjs: '_tfengine' in globalThis,
}));
`;

async function run(id: string, loadsTfjs: boolean): Promise<unknown> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', program(id, loadsTfjs)],
    { cwd: import.meta.dirname },
  );
  return JSON.parse(stdout);
}

const answer = { backend: 'planned', measured: 2, same: true, finite: true };

it.each(builtInTasks.map(({ id }) => id))('trains and measures %s without loading tfjs', async (id) => {
  expect(await run(id, false)).toEqual({ ...answer, tfjs: false });
});

it('loads tfjs to draw first weights: that is how its absence is seen', async () => {
  expect(await run('iris', true)).toEqual({ ...answer, tfjs: true });
});
