import { runSimulation, type Simulated } from '../experiments/run-simulation.ts';
import { type BenchResult, type BenchRow, load, row } from './result.ts';

/** Number of seeds; `COPPICE_BENCH_SEEDS` overrides it. */
const SEEDS = Number(process.env['COPPICE_BENCH_SEEDS'] ?? 5);
const flags = ['--clients', '100', '--fraction', '0.1', '--learning-rate', '0.2'];
const target = ['--target-accuracy', '0.97', '--rounds', '200'];
/** Codecs of updates, and of models down: for these there is none that leaves most numbers out. */
const ways = [
  { codec: 'float32', down: 'float32' },
  { codec: 'float16', down: 'float16' },
  { codec: 'int8', down: 'int8' },
  { codec: 'int4', down: 'int4' },
  { codec: 'top10', down: 'float32' },
] as const;

/**
 * Benchmarks the bytes and rounds that `mnist-2nn` takes to 97 % with each codec, counting all traffic of the sockets
 * both ways: 100 clients, a tenth of them each round.
 */
export async function measure(): Promise<BenchResult> {
  const before = load();
  const found = new Map<string, Simulated[]>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    for (const { codec, down } of ways) {
      const how = ['--upload-codec', codec, '--download-codec', down, '--seed', String(seed)];
      found.set(codec, [...(found.get(codec) ?? []), await runSimulation([...flags, ...target, ...how])]);
    }
  }
  const megabytes = (codec: string) => found.get(codec)?.map((one) => (one.bytesUp + one.bytesDown) / 1e6);
  const rounds = (codec: string) =>
    found.get(codec)?.map((one) => one.roundsToTarget ?? Number.POSITIVE_INFINITY);
  const bytes = ways.map(({ codec, down }) =>
    row(`${codec}${codec === down ? '' : ' up'}: bytes, up and down`, megabytes(codec), 'MB'),
  );
  const taken = ways.map(({ codec }) => row(`${codec}: rounds`, rounds(codec), 'rounds'));
  const of = (rows: readonly BenchRow[], codec: string) =>
    rows[ways.findIndex((way) => way.codec === codec)]?.median ?? Number.NaN;
  return {
    name: `Bytes to 97 % on MNIST, ${SEEDS === 1 ? 'one seed' : `${SEEDS} seeds`}`,
    load: { before, after: load() },
    rows: [...bytes, ...taken],
    ratios: [
      {
        what: 'float32 bytes / int8 bytes',
        value: of(bytes, 'float32') / of(bytes, 'int8'),
        aim: { atLeast: 3.9 },
      },
      {
        what: 'int8 rounds / float32 rounds',
        value: of(taken, 'int8') / of(taken, 'float32'),
        aim: { atMost: 1 },
      },
      {
        what: 'float32 bytes / int4 bytes',
        value: of(bytes, 'float32') / of(bytes, 'int4'),
        aim: { atLeast: 7.5 },
      },
      {
        what: 'int4 rounds / float32 rounds',
        value: of(taken, 'int4') / of(taken, 'float32'),
        aim: { atMost: 1.05 },
      },
    ],
  };
}
