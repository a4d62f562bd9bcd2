import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median } from '../bench/statistics.ts';
import { runSimulation } from './run-simulation.ts';

/*
 * Whether rounding what is sent costs rounds. One seed says little: from one to the next the same codec takes 31 rounds or
 * 39. So many seeds, and each codec against float32 of the same seed, which begins from the same weights and asks the same
 * participants.
 */
const SEEDS = 30;
const codecs = ['float32', 'int8', 'int4'] as const;
const results = fileURLToPath(new URL('../../docs/results', import.meta.url));
const store = join(results, 'codecs-mnist.json');

interface One {
  readonly codec: (typeof codecs)[number];
  readonly seed: number;
  readonly rounds: number;
  /** All traffic of the sockets, both ways. */
  readonly bytes: number;
}

/** Runs the simulations that the results lack, and rewrites the page after each. */
export async function codecsMnist(): Promise<void> {
  const done: One[] = existsSync(store)
    ? (JSON.parse(readFileSync(store, 'utf8')) as { runs: One[] }).runs
    : [];
  for (let seed = 1; seed <= SEEDS; seed++) {
    for (const codec of codecs) {
      if (done.some((one) => one.codec === codec && one.seed === seed)) continue;
      process.stderr.write(`${codec}, seed ${seed} …\n`);
      const { roundsToTarget, bytesUp, bytesDown } = await runSimulation([
        ...['--clients', '100', '--fraction', '0.1', '--learning-rate', '0.2'],
        ...['--target-accuracy', '0.97', '--rounds', '200', '--seed', String(seed)],
        ...['--upload-codec', codec, '--download-codec', codec],
      ]);
      if (roundsToTarget === null) throw new Error(`${codec} with seed ${seed} did not reach 97 %`);
      done.push({ codec, seed, rounds: roundsToTarget, bytes: bytesUp + bytesDown });
      write(done);
    }
  }
  write(done);
}

function write(done: readonly One[]): void {
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}, Node ${process.version}, planned trainer`;
  writeFileSync(store, `${JSON.stringify({ machine, runs: done })}\n`);
  const of = (codec: string) => done.filter((one) => one.codec === codec);
  const plain = of('float32');
  const rows = codecs.map((codec) => {
    const own = of(codec);
    const pairs = own.flatMap((one) => {
      const other = plain.find(({ seed }) => seed === one.seed);
      return other === undefined ? [] : [{ more: one.rounds - other.rounds, fewer: other.bytes / one.bytes }];
    });
    const more = pairs.map((pair) => pair.more);
    const against =
      codec === 'float32' || pairs.length < 2
        ? ['', '']
        : [
            `${mean(more).toFixed(2)} ± ${(deviation(more) / Math.sqrt(more.length)).toFixed(2)}`,
            (mean(plain.map(({ bytes }) => bytes)) / mean(own.map(({ bytes }) => bytes))).toFixed(2),
          ];
    const rounds = own.map((one) => one.rounds);
    return `| ${codec} | ${own.length} | ${mean(rounds).toFixed(2)} | ${median(rounds)} | ${Math.min(...rounds)}–${Math.max(...rounds)} | ${against.join(' | ')} |`;
  });
  writeFileSync(
    join(results, 'codecs-mnist.md'),
    `# What rounding costs, in rounds to 97 % on MNIST

\`mnist-2nn\`, 100 clients, a tenth of them a round, one epoch of batches of ten, learning rate 0.2; models and updates in the codec. From one
seed to the next the same codec takes very different numbers of rounds, so each is held against float32 of the same seed. Repeat it with
\`pnpm experiment codecs\`. Data: [codecs-mnist.json](codecs-mnist.json).

| codec | seeds | rounds, mean | median | least–most | more than float32, mean ± standard error | float32 bytes / its bytes |
|---|---|---|---|---|---|---|
${rows.join('\n')}

Machine: ${machine}.
`,
  );
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Standard deviation of a sample. */
function deviation(values: readonly number[]): number {
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
}
