import { invalid } from '@coppice/model-files';
import { orthogonalised } from './orthogonal.ts';
import * as tf from './tf.ts';

/*
 * Some initializers of tfjs take unbounded or disproportionate work. These replace them: they are registered
 * under the same names, so that a topology is built with them.
 */

type Config = Readonly<Record<string, unknown>>;
interface Initializer {
  apply(shape: readonly number[], dtype?: string): tf.Tensor;
  getConfig(): tf.serialization.ConfigDict;
}
type InitializerClass = {
  new (config: never): Initializer;
  className: string;
};

const classOf = (made: unknown) => (made as { constructor: InitializerClass }).constructor;
const TfjsOrthogonal = classOf(tf.initializers.orthogonal({ gain: 1 }));
const TfjsTruncatedNormal = classOf(tf.initializers.truncatedNormal({}));
const TfjsVarianceScaling = classOf(
  tf.initializers.varianceScaling({ scale: 1, mode: 'fanIn', distribution: 'normal' }),
);

/** The most multiplications for the orthogonal weights of one model: half a minute to a minute of plain JavaScript. */
export const MAX_ORTHOGONAL_WORK = 32e9;

/** Draws an orthogonal matrix: the same numbers as tfjs, in plain loops. */
export class Orthogonal extends TfjsOrthogonal {
  static override readonly className = 'Orthogonal';
  readonly #gain: number;
  readonly #seed: number | undefined;

  constructor(config: { gain?: number; seed?: number }) {
    super(config as never);
    this.#gain = config.gain ?? 1;
    this.#seed = config.seed;
  }

  override apply(shape: readonly number[], dtype?: string): tf.Tensor {
    const { m, n, flat } = sidesOf(shape);
    if (shape.length < 2) throw new RangeError('it is no matrix');
    if (dtype !== undefined && dtype !== 'float32')
      throw new TypeError(`${dtype} has no orthogonal matrices`);
    const normal = tf.randomNormal([m, n], 0, 1, 'float32', this.#seed);
    const q = orthogonalised(normal.dataSync<'float32'>(), m, n);
    normal.dispose();
    const gain = Math.fround(this.#gain);
    const values = new Float32Array(m * n);
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        values[flat ? j * m + i : i * n + j] = gain * (q[i * n + j] as number);
      }
    }
    return tf.tensor(values, [...shape]);
  }

  /** Draws numbers of the same mean and variance that are not orthogonal, quickly, for trials of a model. */
  standIn(shape: readonly number[]): tf.Tensor {
    const reach = this.#gain * Math.sqrt(3 / sidesOf(shape).m);
    return tf.randomUniform([...shape], -reach, reach, 'float32', this.#seed);
  }
}

/** The sides of the matrix to decompose, the longer one first; `flat` where the result is transposed afterwards. */
function sidesOf(shape: readonly number[]): { m: number; n: number; flat: boolean } {
  const columns = shape.at(-1) ?? 1;
  const rows = shape.slice(0, -1).reduce((product, size) => product * size, 1);
  return { m: Math.max(rows, columns), n: Math.min(rows, columns), flat: rows < columns };
}

/** Multiplications of `Orthogonal` for a weight of this shape. */
function orthogonalWork(shape: readonly number[]): number {
  const { m, n } = sidesOf(shape);
  return 2 * m * n * (m - n / 2);
}

/**
 * Refuses orthogonal weights that together would take too long to draw.
 *
 * @throws CoppiceError `model-invalid`, naming the weight.
 */
export function checkOrthogonal(
  weights: readonly {
    readonly name: string;
    readonly initializer: unknown;
    readonly shape: readonly number[];
  }[],
): void {
  let work = 0;
  for (const { name, initializer, shape } of weights) {
    if (!(initializer instanceof Orthogonal)) continue;
    if (shape.length < 2)
      throw invalid(`its weight ${name} is to be orthogonal, and is no matrix. Use another initializer`);
    work += orthogonalWork(shape);
    if (work > MAX_ORTHOGONAL_WORK) {
      throw invalid(
        `its weight ${name} is too large for first numbers that are orthogonal, which take minutes to draw. Use GlorotUniform ("recurrent_initializer" of a recurrent layer, which is orthogonal where it is left out)`,
      );
    }
  }
}

/**
 * Refuses a deviation that is negative or no number: tfjs draws until a number is within two deviations, and so without
 * end.
 */
class TruncatedNormal extends TfjsTruncatedNormal {
  static override readonly className = 'TruncatedNormal';

  constructor(config: Config) {
    super(config as never);
    requireNumber(config, 'mean', Number.NEGATIVE_INFINITY);
    requireNumber(config, 'stddev', 0);
  }
}

/** Refuses a scale without a square root, for the same reason: the deviation is that root. */
class VarianceScaling extends TfjsVarianceScaling {
  static override readonly className = 'VarianceScaling';

  constructor(config: Config) {
    super(config as never);
    requireNumber(config, 'scale', 0);
  }
}

function requireNumber(config: Config, field: string, least: number): void {
  const value = config[field] ?? 0;
  if (typeof value === 'number' && Number.isFinite(value) && value >= least) return;
  throw invalid(
    `an initializer has ${field} ${JSON.stringify(value)}, which is no number that can be drawn with`,
  );
}

/** Replaces tfjs's initializers with these. */
export function registerInitializers(): void {
  for (const one of [Orthogonal, TruncatedNormal, VarianceScaling]) {
    tf.serialization.registerClass(one as never);
  }
}
