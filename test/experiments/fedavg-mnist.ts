import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { curves } from './curves.ts';
import { runSimulation } from './run-simulation.ts';

/*
 * FedAvg's Table 2 for the 2NN on MNIST: 100 clients, C = 0.1, E = 1, B = 10, rounds to 97 % test
 * accuracy, IID and pathologically non-IID (two shards a client).
 */
const root = fileURLToPath(new URL('../..', import.meta.url));
const results = join(root, 'docs', 'results');
const store = join(results, 'fedavg-mnist.json');

interface Setting {
  readonly partition: string;
  readonly learningRate: number;
  readonly seed: number;
  readonly rounds: number;
}

export interface Curve extends Setting {
  readonly accuracy: readonly number[];
  readonly roundsToTarget: number | null;
  readonly checkpoint: string;
  readonly seconds: number;
}

const seeds = [1, 2, 3];
const settings: Setting[] = [
  ...seeds.map((seed) => ({ partition: 'iid', learningRate: 0.2, seed, rounds: 150 })),
  ...[0.1, 0.15].flatMap((learningRate) =>
    seeds.map((seed) => ({ partition: 'shards:2', learningRate, seed, rounds: 700 })),
  ),
  ...[0.1, 0.3].flatMap((learningRate) =>
    seeds.map((seed) => ({ partition: 'iid', learningRate, seed, rounds: 150 })),
  ),
];

const published: Record<string, { paper: number; numpy: string }> = {
  iid: { paper: 87, numpy: '33 (seeds 1–3: 33, 33, 35; learning rate 0.2)' },
  'shards:2': { paper: 664, numpy: '154–300 (learning rates 0.1–0.15)' },
};

/** Runs the simulations that the results lack, one after another, and rewrites the page after each. */
export async function fedavgMnist(): Promise<void> {
  mkdirSync(results, { recursive: true });
  const done: Curve[] = existsSync(store)
    ? (JSON.parse(readFileSync(store, 'utf8')) as { curves: Curve[] }).curves
    : [];
  for (const setting of settings) {
    if (done.some((curve) => same(curve, setting))) continue;
    process.stderr.write(
      `${setting.partition}, learning rate ${setting.learningRate}, seed ${setting.seed} …\n`,
    );
    done.push(await simulate(setting));
    write(done);
  }
  write(done);
}

async function simulate(setting: Setting): Promise<Curve> {
  const { accuracy, roundsToTarget, checkpoint, seconds } = await runSimulation([
    ...['--clients', '100', '--fraction', '0.1', '--epochs', '1', '--batch-size', '10'],
    ...['--learning-rate', String(setting.learningRate), '--partition', setting.partition],
    ...['--seed', String(setting.seed), '--target-accuracy', '0.97', '--rounds', String(setting.rounds)],
  ]);
  return { ...setting, accuracy, roundsToTarget, checkpoint, seconds };
}

function same(a: Setting, b: Setting): boolean {
  return (
    a.partition === b.partition &&
    a.learningRate === b.learningRate &&
    a.seed === b.seed &&
    a.rounds === b.rounds
  );
}

function write(done: readonly Curve[]): void {
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}, Node ${process.version}, planned trainer`;
  writeFileSync(store, `${JSON.stringify({ machine, curves: done })}\n`);
  const parts = ['iid', 'shards:2'].map((partition) =>
    section(
      partition,
      done.filter((curve) => curve.partition === partition),
    ),
  );
  for (const partition of ['iid', 'shards:2']) {
    writeFileSync(
      join(results, picture(partition)),
      curves(
        done.filter((curve) => curve.partition === partition),
        0.97,
      ),
    );
  }
  writeFileSync(
    join(results, 'fedavg-mnist.md'),
    `# FedAvg on MNIST, rounds to 97 %

\`mnist-2nn\`, 100 clients, C = 0.1, E = 1, B = 10: the set-up of McMahan et al. (2017), Table 2. Each line is one
\`pnpm simulate --clients 100 --fraction 0.1 --learning-rate LR --partition HOW --seed S --target-accuracy 0.97\`: real
sockets, a checkpoint and an evaluation on all 10,000 test pictures every round. Repeat all of it with \`pnpm experiment fedavg\`;
the same seed gives the same checkpoint hash on the same machine. Data: [fedavg-mnist.json](fedavg-mnist.json).

Machine: ${machine}.

${parts.join('\n')}`,
  );
}

function section(partition: string, done: readonly Curve[]): string {
  const rates = [...new Set(done.map((curve) => curve.learningRate))].sort((a, b) => a - b);
  const rows = rates.map((rate) => {
    const own = done.filter((curve) => curve.learningRate === rate).sort((a, b) => a.seed - b.seed);
    const rounds = own.map((curve) => curve.roundsToTarget);
    const sorted = rounds.map((n) => n ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
    const median = sorted.length === 3 ? sorted[1] : undefined;
    const shown =
      median === undefined ? '…' : Number.isFinite(median) ? String(median) : `not in ${own[0]?.rounds}`;
    return `| ${rate} | ${rounds.map((n) => n ?? '–').join(', ')} | **${shown}** | ${own.map((curve) => curve.seconds.toFixed(0)).join(', ')} |`;
  });
  const known = published[partition];
  return `## ${partition === 'iid' ? 'IID' : 'Two label-sorted shards a client (`shards:2`)'}

The paper: ${known?.paper} rounds. A plain NumPy FedAvg of the same set-up: ${known?.numpy}.

| learning rate | rounds to 97 %, seeds 1–3 | median | seconds |
|---|---|---|---|
${rows.join('\n')}

![Test accuracy by round](${picture(partition)})
`;
}

function picture(partition: string): string {
  return `fedavg-mnist-${partition.replace(':', '-')}.svg`;
}
