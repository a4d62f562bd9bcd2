import { ExactAccumulator, type NormLimit } from '@coppice/federation';
import { seededRandom, uniform } from '@coppice/ports';
import * as tf from '@tensorflow/tfjs';
import { numPy } from './numpy.ts';
import { type BenchRatio, type BenchResult, byTurns, load, row } from './result.ts';

const PARAMETERS = 1_000_000;
const UPDATES = 100;
const TURNS = 7;
/** Few turns: tfjs takes seconds where others take milliseconds. */
const TURNS_OF_TFJS = 3;

/**
 * Benchmarks the weighted mean of 100 updates of a million float32 each. Coppice starts from each update's bytes, as a
 * socket leaves them, copies them into the kernels' memory, checks that they are finite and within bounds, and sums
 * exactly; the others' values already lie in place, and are not checked.
 */
export async function measure(): Promise<BenchResult> {
  const before = load();
  const updates = Array.from({ length: UPDATES }, (_, i) => {
    const random = seededRandom('aggregation', i);
    return Float32Array.from({ length: PARAMETERS }, () => (uniform(random) - 0.5) * 0.02);
  });
  const examples = updates.map((_, i) => 500 + i);
  const limit: NormLimit = {
    layout: [{ name: 'all', shape: [PARAMETERS], trainable: true }],
    bound: { trainable: 1000, nonTrainable: 1000 },
  };
  const exact = (from: number) => () => {
    const sum = new ExactAccumulator(PARAMETERS);
    for (let i = 0; i < UPDATES; i++)
      sum.add(updates[i % from] as Float32Array, examples[i] as number, limit);
    sum.mean();
    sum.release();
  };
  const plain = () => {
    const sum = new Float32Array(PARAMETERS);
    let all = 0;
    for (const [i, values] of updates.entries()) {
      addPlainly(sum, values, examples[i] as number);
      all += examples[i] as number;
    }
    for (let i = 0; i < PARAMETERS; i++) sum[i] = (sum[i] as number) / all;
  };
  const numpy = await numPy(axpy(UPDATES), 'cpu');
  const cachedNumpy = await numPy(axpy(CACHED), 'cpu');
  const samples = await byTurns(
    {
      exact: exact(UPDATES),
      ...(numpy === null ? {} : { numpy: () => numpy.measure() }),
      cachedExact: exact(CACHED),
      ...(cachedNumpy === null ? {} : { cachedNumpy: () => cachedNumpy.measure() }),
      plain,
    },
    { turns: TURNS, warmUp: 2, by: 'cpu' },
  );
  await numpy?.close();
  await cachedNumpy?.close();
  await tf.setBackend('cpu');
  const tensors = updates.map((values) => tf.tensor1d(values));
  const ofTfjs = await byTurns(
    {
      stacked: () => tf.tidy(() => void tf.mean(tf.stack(tensors), 0).dataSync()),
      addN: () => tf.tidy(() => void tf.addN(tensors).div(UPDATES).dataSync()),
    },
    { turns: TURNS_OF_TFJS, by: 'cpu' },
  );
  tf.dispose(tensors);
  const ours = row('exact, SIMD: copy, check, sum, mean', samples['exact'], 'ms of CPU');
  const oursCached = row(
    `the same, updates just received (${CACHED}, in the cache)`,
    samples['cachedExact'],
    'ms of CPU',
  );
  const loop = row('plain JavaScript loop, float32', samples['plain'], 'ms of CPU');
  const stacked = row('tfjs, stack and mean, CPU backend, unweighted', ofTfjs['stacked'], 'ms of CPU');
  const addN = row('tfjs, addN, CPU backend, unweighted', ofTfjs['addN'], 'ms of CPU');
  const rows = [ours, oursCached, loop, stacked, addN];
  const ratios: BenchRatio[] = [
    { what: 'tfjs stack and mean / exact', value: stacked.median / ours.median, aim: { atLeast: 20 } },
    { what: 'tfjs addN / exact', value: addN.median / ours.median, aim: { atLeast: 20 } },
    { what: 'plain loop / exact', value: loop.median / ours.median, aim: null },
  ];
  if (numpy !== null) {
    const axpys = row(`NumPy ${numpy.version}, acc += w · u in float32`, samples['numpy'], 'ms of CPU');
    const cachedAxpys = row('NumPy, updates just received', samples['cachedNumpy'], 'ms of CPU');
    rows.push(axpys, cachedAxpys);
    ratios.push(
      { what: 'NumPy / exact', value: axpys.median / ours.median, aim: { atLeast: 1 } },
      {
        what: 'NumPy / exact, updates just received',
        value: cachedAxpys.median / oursCached.median,
        aim: { atLeast: 1 },
      },
    );
  }
  return {
    name: `Aggregation of ${UPDATES} updates of ${PARAMETERS.toLocaleString('en')} float32`,
    load: { before, after: load() },
    rows,
    ratios,
  };
}

/** Number of distinct updates that fit easily in the last cache level. */
const CACHED = 4;

/** A streaming axpy over 100 updates, `distinct` of which differ. */
function axpy(distinct: number): string {
  return `
updates = [(np.random.rand(${PARAMETERS}).astype(np.float32) - 0.5) * np.float32(0.02) for _ in range(${distinct})]
weights = [np.float32(500 + i) for i in range(${UPDATES})]
def work():
    acc = np.zeros(${PARAMETERS}, np.float32)
    for i in range(${UPDATES}):
        acc += weights[i] * updates[i % ${distinct}]
    acc /= np.float32(sum(weights))
`;
}

/** A separate function, so that the engine optimizes it once and well. */
function addPlainly(sum: Float32Array, values: Float32Array, weight: number): void {
  for (let i = 0; i < values.length; i++) sum[i] = (sum[i] as number) + weight * (values[i] as number);
}
