import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mnistFiles } from './mnist-files.ts';
import { type Finished, runWhole } from './process-group.ts';
import { type BenchResult, load, row } from './result.ts';
import { median } from './statistics.ts';

/*
 * Whole simulations, from the command to its end: sockets, checkpoints on disk, the model measured on 10,000 digits every
 * round. Beside them, in the same run and by turns, a NumPy loop of the same rounds with none of that, on one thread; and
 * Flower's simulation engine with that loop's training, where a Python has it.
 */
const TURNS = 3;
const CLIENTS = 100;
const COHORT = 10;
const LEARNING_RATE = 0.2;
const TARGET = 0.97;
const MOST_ROUNDS = 100;
/** Parameters of mnist-2nn in float32. */
const MODEL_MEGABYTES = (199_210 * 4) / 2 ** 20;
/** Clients of a large simulation on one machine: those that are not asked still cost memory. */
const CROWD = 1000;

const repository = fileURLToPath(new URL('../..', import.meta.url));
const peers = fileURLToPath(new URL('./peers', import.meta.url));

interface Loop {
  readonly rounds: number;
  /** Seconds of the rounds alone, without the start of Python and the loading of the digits. */
  readonly seconds: number;
}

/** @param python one with Flower; left out, `COPPICE_PYTHON` or `python3`, for the loop alone. */
export async function measure(python: string | null = null): Promise<BenchResult> {
  const before = load();
  const files = await mnistFiles();
  const interpreter = python ?? process.env['COPPICE_PYTHON'] ?? 'python3';
  const loop = (script: string) => async (): Promise<Loop> => {
    const flags = [CLIENTS, COHORT, LEARNING_RATE, TARGET, MOST_ROUNDS, 1].map(String);
    const { output } = await runWhole(interpreter, [join(peers, script), files.folder, ...flags], {
      env: { OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1', PYTHONDONTWRITEBYTECODE: '1' },
    });
    return JSON.parse(output.trim().split('\n').at(-1) as string) as Loop;
  };
  try {
    const numPy = (await works(interpreter, 'import numpy')) ? loop('federated_averaging.py') : null;
    const flower = python === null ? null : loop('flower_averaging.py');
    const own: (Finished & { rounds: number })[] = [];
    const numPys: Loop[] = [];
    const flowers: Loop[] = [];
    for (let turn = 0; turn < TURNS; turn++) {
      own.push(await simulation(['--clients', `${CLIENTS}`, '--fraction', `${COHORT / CLIENTS}`]));
      if (numPy !== null) numPys.push(await numPy());
      if (flower !== null) flowers.push(await flower());
    }
    const crowd = await simulation(['--clients', `${CROWD}`, '--cohort', '10', '--rounds', '3'], null);
    const few = await simulation(['--clients', '10', '--cohort', '10', '--rounds', '3'], null);

    const wall = own.map(({ seconds }) => seconds);
    const perRound = own.map(({ seconds, rounds }) => seconds / rounds);
    const rows = [
      row(`pnpm simulate, ${CLIENTS} clients to ${TARGET * 100} %`, wall, 's'),
      row('… rounds', rounds(own), ''),
      row(
        '… rounds per minute',
        perRound.map((seconds) => 60 / seconds),
        '/min',
      ),
    ];
    const ratios: BenchResult['ratios'][number][] = [
      { what: 'pnpm simulate to 97 %, seconds', value: median(wall), aim: { atMost: 25 } },
    ];
    for (const [name, loops, aim] of [
      ['NumPy loop, one thread', numPys, { atMost: 1 }],
      ['Flower', flowers, null],
    ] as const) {
      if (loops.length === 0) continue;
      const seconds = loops.map((one) => one.seconds);
      rows.push(row(`${name}, to ${TARGET * 100} %`, seconds, 's'), row('… rounds', rounds(loops), ''));
      ratios.push(
        { what: `pnpm simulate / ${name}`, value: median(wall) / median(seconds), aim },
        {
          what: `pnpm simulate / ${name}, for each round`,
          value: median(perRound) / median(loops.map((one) => one.seconds / one.rounds)),
          aim: null,
        },
      );
    }
    if (crowd.peakMegabytes !== null && few.peakMegabytes !== null) {
      const each = (crowd.peakMegabytes - few.peakMegabytes) / (CROWD - 10);
      rows.push(
        row(`${CROWD} clients in one simulation, at most`, [crowd.peakMegabytes], 'MB'),
        row('10 clients in one simulation, at most', [few.peakMegabytes], 'MB'),
      );
      ratios.push(
        { what: `memory of ${CROWD} clients, MB`, value: crowd.peakMegabytes, aim: { atMost: 2048 } },
        { what: 'a client more / its model', value: each / MODEL_MEGABYTES, aim: { atMost: 3 } },
      );
    }
    return { name: 'Simulations', load: { before, after: load() }, rows, ratios };
  } finally {
    await files.remove();
  }
}

const rounds = (all: readonly { readonly rounds: number }[]) => all.map((one) => one.rounds);

/** Runs a simulation. @param target null: until its rounds are over, with its memory watched. */
async function simulation(flags: readonly string[], target: number | null = TARGET) {
  const whole = [
    ...['--learning-rate', `${LEARNING_RATE}`, '--json'],
    ...(target === null ? [] : ['--target-accuracy', `${target}`]),
  ];
  const script = join(repository, 'apps', 'simulate', 'src', 'main.ts');
  const finished = await runWhole(process.execPath, [script, ...flags, ...whole], {
    watched: target === null,
  });
  const done = JSON.parse(finished.output.trim().split('\n').at(-1) as string) as { rounds: number };
  return { ...finished, rounds: done.rounds };
}

async function works(python: string, program: string): Promise<boolean> {
  try {
    await runWhole(python, ['-c', program]);
    return true;
  } catch {
    return false;
  }
}
