import { createHash } from 'node:crypto';
import { encodedFrame } from './raw-participant.ts';

/* "Contributions" of docs/protocol.md: the layout of an answer, its hash, its payload and its exact sums. */

export interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly role: 'step' | 'average' | 'frozen' | 'measure';
  readonly group: string;
  readonly unit: number;
  readonly bound: number | null;
  readonly weighted: 'weight' | 'one';
  readonly precision: 'single' | 'double';
}

/** A codec's number in the header, and its encoding of numbers that are all steps. */
export interface Encoder {
  readonly codec: number;
  encode(values: readonly number[]): Uint8Array;
}

/** Numbers of a tensor in a contribution; none of a frozen one. */
const sizeOf = ({ role, shape }: Pick<Tensor, 'role' | 'shape'>) =>
  role === 'frozen' ? 0 : shape.reduce((size, length) => size * length, 1);

export function float32(values: readonly number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

export function contributionText(layout: readonly Tensor[]): string {
  return layout
    .map(
      ({ group, name, role, weighted, precision, unit, shape }) =>
        `${group}/${name}:${role}:${weighted}:${precision}:${Math.log2(unit)}:${shape.join(',')}`,
    )
    .join('\n');
}

export function contributionHash(layout: readonly Tensor[]): Buffer {
  return createHash('sha256').update(contributionText(layout), 'utf8').digest().subarray(0, 16);
}

/** A double as the two float32 limbs that travel. */
export function limbs(value: number): [number, number] {
  const high = Math.fround(value);
  return [high, Math.fround(value - high)];
}

/**
 * Encodes the payload of a contribution.
 *
 * @param numbers by group, as long as the group's tensors; for measures, by the tensor's name.
 */
export function contributionPayload(
  layout: readonly Tensor[],
  numbers: Readonly<Record<string, readonly number[]>>,
  encoder?: Encoder,
): Uint8Array {
  const groups = [...new Set(layout.map(({ group }) => group))];
  const parts = groups.map((group) => {
    const tensors = layout.filter((tensor) => tensor.group === group);
    if (tensors[0]?.role === 'measure') return measuresPayload(tensors, numbers);
    const values = numbers[group] ?? [];
    if (encoder === undefined) return float32(values);
    const of = { step: [] as number[], average: [] as number[] };
    let at = 0;
    for (const tensor of tensors.filter(({ role }) => role !== 'frozen')) {
      of[tensor.role as 'step' | 'average'].push(...values.slice(at, at + sizeOf(tensor)));
      at += sizeOf(tensor);
    }
    return Buffer.concat([float32(of.average), encoder.encode(of.step)]);
  });
  return Buffer.concat(parts);
}

function measuresPayload(
  tensors: readonly Tensor[],
  numbers: Readonly<Record<string, readonly number[]>>,
): Uint8Array {
  return float32(
    tensors.flatMap(({ name, precision }) => {
      const values = numbers[name] ?? [];
      if (precision === 'single') return [...values];
      const both = values.map(limbs);
      return [...both.map(([high]) => high), ...both.map(([, low]) => low)];
    }),
  );
}

export function contributionFrame(
  layout: readonly Tensor[],
  numbers: Readonly<Record<string, readonly number[]>>,
  encoder?: Encoder,
): Uint8Array {
  const parameters = layout.reduce(
    (sum, tensor) => sum + sizeOf(tensor) * (tensor.precision === 'double' ? 2 : 1),
    0,
  );
  const payload = contributionPayload(layout, numbers, encoder);
  const encoded = { codec: encoder?.codec ?? 0, payload };
  return new Uint8Array(encodedFrame(2, contributionHash(layout), parameters, encoded));
}

/** Reads the measures of a payload by name, after the groups before them. */
export function readMeasures(layout: readonly Tensor[], payload: Uint8Array): Record<string, number[]> {
  const tensors = layout.filter(({ role }) => role === 'measure');
  const count = tensors.reduce((sum, one) => sum + sizeOf(one) * (one.precision === 'double' ? 2 : 1), 0);
  const bytes = Buffer.from(payload).subarray(payload.length - 4 * count);
  let at = 0;
  const next = (length: number) => Array.from({ length }, () => bytes.readFloatLE(4 * at++));
  return Object.fromEntries(
    tensors.map((tensor) => {
      const high = next(sizeOf(tensor));
      if (tensor.precision === 'single') return [tensor.name, high];
      const low = next(sizeOf(tensor));
      return [tensor.name, high.map((value, i) => value + (low[i] as number))];
    }),
  );
}

/** Sums a measure in its unit, as the page defines it: whole numbers of any size, each rounded to the nearest, ties to even. */
export function measureSum(values: readonly number[], unit: number): number {
  const total = values.reduce((sum, value) => sum + BigInt(nearestEven(value / unit)), 0n);
  return Number(total) * unit;
}

function nearestEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest < 0.5 || (rest === 0.5 && floor % 2 === 0) ? floor : floor + 1;
}
