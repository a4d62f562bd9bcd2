import { parentPort } from 'node:worker_threads';
import { partition, type RawExamples, selectExamples, trainerExamples } from '@coppice/datasets';
import { hasTaskData, loadTaskData } from '@coppice/datasets/node';
import { fitWeights, tensorsOf } from '@coppice/model-files';
import { readSafetensors } from '@coppice/model-files/safetensors';
import { CoppiceError, type Measured, type Task, targetSize } from '@coppice/protocol';
import { createTrainer, type Dataset, layoutOf, modelOf, type Trainer } from '@coppice/training';
import { toFloat32 } from '../storage/blobs.ts';
import type { Answer, Job, Results } from './jobs.ts';
import type { ExportFacts, ExportFormat } from './model-worker.ts';

/*
 * A thread that works on models. It is given one job at a time; a trainer and a test set are kept for the task that was
 * evaluated last, since rounds ask about the same one again and again.
 */
let current: { task: string; trainer: Trainer; test: Dataset } | null = null;

/** Loaded lazily: only the threads that use tfjs load it. */
const withTfjs = () => import('@coppice/training/describe');

const workers: {
  [K in Job['kind']]: (job: Extract<Job, { kind: K }>) => Promise<Results[K]>;
} = {
  check: async ({ model, data, loss }) => (await withTfjs()).checkModel(model, data, loss),
  layout: ({ task }) => layoutOf(modelOf(task)),
  describe: async ({ task, seed }) => (await withTfjs()).describeModel(modelOf(task), seed),
  'read-weights': async ({ bytes }) => {
    const tensors = readSafetensors(bytes);
    return {
      tensors: tensors.length,
      parameters: tensors.reduce((sum, { values }) => sum + values.length, 0),
    };
  },
  'fit-weights': async ({ layout, bytes, of }) =>
    fitWeights(layout, of === null ? readSafetensors(bytes) : tensorsOf(of, toFloat32(bytes))),
  evaluate: ({ task, weights, share, of }) => evaluate(task, weights, { share, of }),
  export: async ({ task, weights, format, facts }) => exported(task, weights, format, facts),
  samples: async ({ task, share, of }) => encodeSamples(await sampleShare(task, share, of)),
};

parentPort?.on('message', async (job: Job) => {
  let answer: Answer;
  // Memory that goes over to the other thread instead of being copied there.
  let handed: ArrayBuffer[] = [];
  try {
    const work = workers[job.kind] as (job: Job) => Promise<Results[Job['kind']]>;
    const result = await work(job);
    answer = { result };
    if (job.kind === 'fit-weights') handed = [(result as Results['fit-weights']).buffer];
    if (job.kind === 'export') handed = [(result as Results['export']).buffer];
  } catch (thrown) {
    answer = { error: CoppiceError.from(thrown, 'evaluation-failed').toWire() };
  }
  parentPort?.postMessage(answer, handed);
});

async function exported(
  task: Task,
  weights: Float32Array,
  format: ExportFormat,
  facts: ExportFacts,
): Promise<Uint8Array<ArrayBuffer>> {
  if (format === 'onnx') {
    const [{ readGraph }, { writeOnnx }] = await Promise.all([
      withTfjs(),
      import('@coppice/model-files/exports'),
    ]);
    return writeOnnx(await readGraph(modelOf(task), weights), facts);
  }
  if (format === 'float16') {
    const { writeFloat16 } = await import('@coppice/model-files/exports');
    return writeFloat16(weights);
  }
  const { writeSafetensors } = await import('@coppice/model-files/safetensors');
  const tensors = tensorsOf(await layoutOf(modelOf(task)), weights);
  return writeSafetensors(tensors, facts.metadata);
}

/** Examples in a part. Parts are the same for any number of threads, and so is their combined result. */
const PART = 2500;

async function evaluate(
  task: Task,
  weights: Float32Array,
  { share, of }: { share: number; of: number },
): Promise<Results['evaluate']> {
  if (!hasTaskData(task.id)) return null;
  if (current?.task !== task.id) {
    current?.trainer.dispose();
    current = null;
    const { test } = await loadTaskData(task.id);
    current = {
      task: task.id,
      trainer: await createTrainer(modelOf(task), { backend: 'planned', seed: 0 }),
      test: trainerExamples(test, task.data),
    };
  }
  current.trainer.setWeights(weights);
  const { trainer, test } = current;
  const parts = new Map<number, Measured>();
  const size = test.xs.length / test.count;
  const labels = targetSize(task.data);
  for (let part = share; part * PART < test.count; part += of) {
    const from = part * PART;
    const to = Math.min(test.count, from + PART);
    const xs = test.xs.subarray(from * size, to * size);
    const ys = test.ys.subarray(from * labels, to * labels);
    parts.set(part, await trainer.measure({ count: to - from, xs, ys }));
  }
  return parts;
}

async function sampleShare(task: string, share: number, of: number): Promise<RawExamples> {
  const { train } = await loadTaskData(task);
  const rows = partition(train.labels, Math.min(of, train.count), { kind: 'iid' }, 'samples')[share];
  if (rows === undefined)
    throw new CoppiceError('data-invalid', `There are only ${train.count} examples to share out.`);
  return selectExamples(train, rows);
}

/** Encodes examples in the format of `ModelWorker.samples`. */
function encodeSamples({ count, features, labels }: RawExamples): Uint8Array {
  const labelsAt = 16 + Math.ceil(features.byteLength / 4) * 4;
  const bytes = new Uint8Array(labelsAt + labels.byteLength);
  new Uint32Array(bytes.buffer, 0, 4).set([count, features.BYTES_PER_ELEMENT, features.length / count, 0]);
  bytes.set(new Uint8Array(features.buffer, features.byteOffset, features.byteLength), 16);
  bytes.set(new Uint8Array(labels.buffer, labels.byteOffset, labels.byteLength), labelsAt);
  return bytes;
}
