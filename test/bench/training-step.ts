import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { builtInTasks, normalise } from '@coppice/datasets';
import { loadTaskData } from '@coppice/datasets/node';
import { runs, type Variant, variants } from '@coppice/kernels';
import type { Task } from '@coppice/protocol';
import { type BackendName, createTrainer, type Dataset, type Trainer } from '@coppice/training';
import { numPy } from './numpy.ts';
import { type BenchRatio, type BenchResult, type BenchRow, byTurns, load, row } from './result.ts';
import { median } from './statistics.ts';

/*
 * One step of plain SGD on a batch of ten digits, as a participant takes it: gathering the batch, its loss, its gradients, the
 * change of the weights. NumPy, where there is one, takes the same steps on one thread.
 */
const BATCH = 10;
/** Pixels of a digit. */
const SIZE = 784;

interface Contest {
  readonly task: string;
  readonly turns: number;
  /** Steps in a turn. */
  readonly steps: {
    readonly cpu: number;
    readonly wasm: number;
    readonly planned: number;
    readonly numPy: number;
  };
  readonly aims: { readonly overWasm: number | null; readonly overNumPy: number };
}

const contests: readonly Contest[] = [
  {
    task: 'mnist-2nn',
    turns: 9,
    steps: { cpu: 10, wasm: 50, planned: 300, numPy: 300 },
    aims: { overWasm: 10, overNumPy: 1.5 },
  },
  {
    task: 'mnist-cnn',
    turns: 7,
    // Plain JavaScript takes seconds for each.
    steps: { cpu: 0, wasm: 3, planned: 10, numPy: 5 },
    aims: { overWasm: null, overNumPy: 3 },
  },
];

export async function measure(): Promise<BenchResult> {
  const before = load();
  const rows: BenchRow[] = [];
  const ratios: BenchRatio[] = [];
  for (const contest of contests) {
    const { medians, measured } = await hold(contest);
    rows.push(...measured);
    const { task, aims } = contest;
    const planned = medians.get('planned') as number;
    const wasm = medians.get('tfjs WASM') as number;
    ratios.push({
      what: `${task}: tfjs WASM / planned`,
      value: wasm / planned,
      aim: aims.overWasm === null ? null : { atLeast: aims.overWasm },
    });
    const numpy = medians.get('NumPy');
    if (numpy !== undefined) {
      ratios.push({
        what: `${task}: planned / NumPy`,
        value: planned / numpy,
        aim: { atMost: aims.overNumPy },
      });
    }
  }
  return { name: 'A step of training', load: { before, after: load() }, rows, ratios };
}

async function hold(contest: Contest): Promise<{ medians: Map<string, number>; measured: BenchRow[] }> {
  const task = builtInTasks.find(({ id }) => id === contest.task);
  if (task === undefined) throw new Error(`no task ${contest.task}`);
  const description = { topology: task.model, data: task.data, loss: task.loss };
  const { steps } = contest;
  const data = await digits(task, BATCH * Math.max(steps.planned, steps.wasm));
  const trainers: Trainer[] = [];
  const works: Record<string, () => Promise<number>> = {};
  const add = async (name: string, backend: BackendName, count: number, variant?: Variant) => {
    const trainer = await createTrainer(description, { backend, seed: 1, ...(variant && { variant }) });
    if (trainer.backend !== backend) throw new Error(trainer.note);
    trainers.push(trainer);
    const some = { count: count * BATCH, ...slice(data, count * BATCH) };
    works[name] = async () => {
      const how = {
        epochs: 1,
        batchSize: BATCH,
        optimizer: 'sgd',
        learningRate: 0.01,
        shuffleSeed: 'bench',
      } as const;
      const result = await trainer.train(some, how);
      return result.milliseconds / result.steps;
    };
  };
  if (steps.cpu > 0) await add('tfjs CPU', 'cpu', steps.cpu);
  await add('tfjs WASM', 'wasm', steps.wasm);
  const [fastest, ...others] = variants.filter(runs);
  await add('planned', 'planned', steps.planned, fastest);
  for (const variant of others) {
    // Plain JavaScript is there for machines without SIMD; a convolution takes it a while.
    const count = variant === 'scalar' ? Math.max(1, Math.floor(steps.planned / 30)) : steps.planned;
    await add(`planned, ${variant}`, 'planned', count, variant);
  }
  const script = readFileSync(fileURLToPath(new URL('./peers/training_step.py', import.meta.url)), 'utf8');
  const numpy = await numPy(`${script}\nwork = worker('${contest.task}', ${BATCH}, ${steps.numPy})`);
  if (numpy !== null) works['NumPy'] = async () => (await numpy.measure()) / steps.numPy;
  try {
    const samples = await byTurns(works, { turns: contest.turns });
    const names = { ...Object.fromEntries(Object.keys(works).map((name) => [name, name])) };
    names['planned'] = `planned, ${fastest}`;
    names['NumPy'] = `NumPy ${numpy?.version ?? ''}, one thread`;
    return {
      medians: new Map(Object.entries(samples).map(([name, all]) => [name, median(all)])),
      measured: Object.entries(samples).map(([name, all]) =>
        row(`${contest.task}: ${names[name]}`, all, 'ms'),
      ),
    };
  } finally {
    for (const trainer of trainers) trainer.dispose();
    await numpy?.close();
  }
}

async function digits(task: Task, count: number): Promise<Dataset> {
  const { train } = await loadTaskData(task.id);
  const { xs, ys } = normalise(train, task.data);
  return { count, xs: xs.subarray(0, count * SIZE), ys: ys.subarray(0, count) };
}

function slice({ xs, ys }: Dataset, count: number) {
  return { xs: xs.subarray(0, count * SIZE), ys: ys.subarray(0, count) };
}
