import { ExactAccumulator, encodeValues, finish, payloadValues, toFloat32 } from '@coppice/federation';
import { normal, seededRandom } from '@coppice/ports';
import { type Codec, codecs, type Layout } from '@coppice/protocol';
import { type BenchRatio, type BenchResult, type BenchRow, byTurns, load, row } from './result.ts';

const PARAMETERS = 1_000_000;
const TURNS = 9;

/**
 * Benchmarks each codec on a million values: to bytes, back, and from bytes into the exact sum. Speeds in bytes of
 * float32, by CPU time.
 */
export async function measure(): Promise<BenchResult> {
  const before = load();
  const random = seededRandom('codecs');
  const values = Float32Array.from({ length: PARAMETERS }, () => normal(random) * 0.01);
  const layout: Layout = [{ name: 'all', shape: [PARAMETERS], trainable: true }];
  const sum = new ExactAccumulator(PARAMETERS);
  const gigabytes = (milliseconds: number[] | undefined) =>
    milliseconds?.map((time) => (4 * PARAMETERS) / time / 1e6);
  const rows: BenchRow[] = [];
  const ratios: BenchRatio[] = [];
  for (const codec of Object.keys(codecs) as Codec[]) {
    const encode = () => encodeValues(codec, values, layout, 7);
    const payload = encode();
    const samples = await byTurns(
      {
        encode: () => void encode(),
        decode: () => void toFloat32(payloadValues({ codec, payload }, layout)),
        sum: () => void finish(sum.addInSteps(payloadValues({ codec, payload }, layout), 600)),
      },
      { turns: TURNS, warmUp: 3, by: 'cpu' },
    );
    rows.push(
      row(`${codec}: encode`, gigabytes(samples['encode']), 'GB/s'),
      row(`${codec}: decode`, gigabytes(samples['decode']), 'GB/s'),
      row(`${codec}: decode, check and sum`, gigabytes(samples['sum']), 'GB/s'),
    );
    const aim = codec === 'int8' ? { atLeast: 3.9 } : codec === 'int4' ? { atLeast: 7.5 } : null;
    ratios.push({
      what: `float32 bytes / ${codec} bytes`,
      value: values.byteLength / payload.byteLength,
      aim,
    });
  }
  return { name: 'Codecs, on a million values', load: { before, after: load() }, rows, ratios };
}
