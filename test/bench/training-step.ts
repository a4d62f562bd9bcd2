import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { builtInTasks, normalise } from '@coppice/datasets';
import { loadTaskData } from '@coppice/datasets/node';
import { runs, type Variant, variants } from '@coppice/kernels';
import type { Task } from '@coppice/protocol';
import { type BackendName, createTrainer, type Dataset, type Trainer } from '@coppice/training';
import { type StepPage, stepPage } from './in-chromium.ts';
import { numPy } from './numpy.ts';
import { type BenchRatio, type BenchResult, type BenchRow, byTurns, load, row } from './result.ts';
import { median } from './statistics.ts';

/*
 * One step of plain SGD on a batch of ten digits, as a participant takes it: gathering the batch, its loss, its gradients, the
 * change of the weights; in CPU time, on one thread. NumPy, where there is one, takes the same steps.
 */
const BATCH = 10;
/** Pixels of a digit. */
const SIZE = 784;

/** Name of tfjs as published, without Coppice's replacements of slow or missing kernels. */
const STOCK = 'tfjs WASM as published';
const OWN = "tfjs WASM with Coppice's kernels";

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
    const aim = aims.overWasm === null ? null : { atLeast: aims.overWasm };
    for (const name of [STOCK, OWN]) {
      const wasm = medians.get(name);
      // The aim refers to tfjs as published.
      if (wasm !== undefined) {
        ratios.push({
          what: `${task}: ${name} / planned`,
          value: wasm / planned,
          aim: name === STOCK ? aim : null,
        });
      }
    }
    const numpy = medians.get('NumPy');
    if (numpy !== undefined) {
      ratios.push({
        what: `${task}: planned / NumPy`,
        value: planned / numpy,
        aim: { atMost: aims.overNumPy },
      });
    }
  }
  const page = await stepPage();
  if (page !== null) {
    for (const contest of contests) {
      const { rows: more, ratio } = await inChromium(page, contest);
      rows.push(...more);
      ratios.push(ratio);
    }
    await page.close();
  }
  return { name: 'A step of training, in CPU time', load: { before, after: load() }, rows, ratios };
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
      const began = process.cpuUsage();
      const how = {
        epochs: 1,
        batchSize: BATCH,
        optimizer: 'sgd',
        learningRate: 0.01,
        shuffleSeed: 'bench',
      } as const;
      const { steps: taken } = await trainer.train(some, how);
      const { user, system } = process.cpuUsage(began);
      return (user + system) / 1000 / taken;
    };
  };
  const [fastest, ...others] = variants.filter(runs);
  await add('planned', 'planned', steps.planned, fastest);
  for (const variant of others) {
    // Plain JavaScript is there for machines without SIMD; a convolution takes it a while.
    const count = variant === 'scalar' ? Math.max(1, Math.floor(steps.planned / 30)) : steps.planned;
    await add(`planned, ${variant}`, 'planned', count, variant);
  }
  // After those that leave nothing behind: what tfjs leaves is collected while the next one works, and is not its doing.
  if (steps.cpu > 0) await add('tfjs CPU', 'cpu', steps.cpu);
  await add(OWN, 'wasm', steps.wasm);
  const script = readFileSync(fileURLToPath(new URL('./peers/training_step.py', import.meta.url)), 'utf8');
  const numpy = await numPy(`${script}\nwork = worker('${contest.task}', ${BATCH}, ${steps.numPy})`, 'cpu');
  const stock = await stockTfjs(task.id, steps.wasm);
  if (stock !== null) works[STOCK] = stock.measure;
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
    stock?.close();
  }
}

/** The same steps in a browser, by wall time, since it reports no CPU time. */
async function inChromium(page: StepPage, { task, turns, steps }: Contest) {
  const [planned, wasm] = [
    `${task}: planned, in Chromium, wall time`,
    `${task}: ${OWN}, in Chromium, wall time`,
  ];
  const time = (backend: BackendName, count: number) => () => page.time(backend, task, count);
  const samples = await byTurns(
    { [planned]: time('planned', steps.planned), [wasm]: time('wasm', steps.wasm) },
    { turns },
  );
  const of = (name: string) => samples[name] as number[];
  return {
    rows: [planned, wasm].map((name) => row(name, samples[name], 'ms')),
    ratio: {
      what: `${task}: ${OWN} / planned, in Chromium`,
      value: median(of(wasm)) / median(of(planned)),
      aim: null,
    },
  };
}

/** Published tfjs in a process of its own; null where it cannot train the model. */
async function stockTfjs(task: string, steps: number) {
  const script = fileURLToPath(new URL('./peers/stock-tfjs.ts', import.meta.url));
  const child = fork(script, [task, String(BATCH), String(steps)], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const ended = once(child, 'exit').then(() => null);
  const answer = async () => Promise.race([once(child, 'message').then(([value]) => value as number), ended]);
  const measure = async () => {
    child.send('steps');
    return answer();
  };
  // Its first steps say whether it can.
  if ((await answer()) === null || (await measure()) === null) return null;
  return {
    async measure(): Promise<number> {
      const taken = await measure();
      if (taken === null) throw new Error('published tfjs ended in the middle');
      return taken;
    },
    close: () => child.disconnect(),
  };
}

async function digits(task: Task, count: number): Promise<Dataset> {
  const { train } = await loadTaskData(task.id);
  const { xs, ys } = normalise(train, task.data);
  return { count, xs: xs.subarray(0, count * SIZE), ys: ys.subarray(0, count) };
}

function slice({ xs, ys }: Dataset, count: number) {
  return { xs: xs.subarray(0, count * SIZE), ys: ys.subarray(0, count) };
}
