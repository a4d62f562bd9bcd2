import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { builtInTasks } from '@coppice/datasets';
import * as tf from '@tensorflow/tfjs';
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';

/*
 * TensorFlow.js on WebAssembly as it is published: `trainOnBatch` on one made-up batch, as its users write it, on one
 * thread. A process of its own, for a process has one tfjs, and Coppice's has kernels replaced. Arguments: task, batch,
 * steps a turn. For each message it gets, it answers with CPU milliseconds a step.
 */
const [id, batch, steps] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const task = builtInTasks.find((one) => one.id === id);
if (task === undefined) throw new Error(`no task ${id}`);
const wasm = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
setWasmPaths(`${join(dirname(wasm), '..', 'dist')}/`);
setThreadsCount(1);
tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
await tf.setBackend('wasm');
const model = await tf.models.modelFromJSON({ modelTopology: task.model } as unknown as tf.io.ModelJSON);
model.compile({ optimizer: tf.train.sgd(0.01), loss: 'categoricalCrossentropy' });
const [input] = model.inputs;
if (input === undefined) throw new Error('a model without an input');
const xs = tf.randomUniform([batch, ...(input.shape.slice(1) as number[])]);
const ys = tf.oneHot(
  tf.tensor1d(
    Array.from({ length: batch }, (_, i) => i % 10),
    'int32',
  ),
  10,
);

process.on('message', async () => {
  const began = process.cpuUsage();
  for (let step = 0; step < steps; step++) await model.trainOnBatch(xs, ys);
  const { user, system } = process.cpuUsage(began);
  process.send?.((user + system) / 1000 / steps);
});
process.send?.('ready');
