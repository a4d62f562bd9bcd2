import { shapeSize } from '@coppice/protocol';
import * as z from 'zod/mini';
import type { GivenTensor } from './given-tensor.ts';
import { type NumberKind, numberKinds } from './numbers.ts';
import { quoted, weightsInvalid } from './weights-invalid.ts';

/*
 * The format of safetensors (https://huggingface.co/docs/safetensors): the length of a header as a little-endian
 * uint64, the header as JSON, then the bytes of all tensors without gaps.
 */

/** The most bytes of a header: ten thousand tensors with long names have a third of it. */
export const MAX_SAFETENSORS_HEADER = 8 * 1024 * 1024;

const EntrySchema = z.object({
  dtype: z.string(),
  shape: z.array(z.int().check(z.minimum(0))).check(z.maxLength(8)),
  data_offsets: z.tuple([z.int().check(z.minimum(0)), z.int().check(z.minimum(0))]),
});

interface Entry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly kind: NumberKind;
  readonly from: number;
  readonly to: number;
}

/**
 * Reads the tensors of a safetensors file, in the order of their bytes. Numbers of every kind with at least eight bits
 * become float32. Values of float32 may share the memory of `bytes`, which must not change while they are used.
 *
 * @throws CoppiceError `weights-invalid`
 */
export function readSafetensors(bytes: Uint8Array): GivenTensor[] {
  const { header, data } = partsOf(bytes);
  const entries = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => entryOf(name, value))
    .sort((a, b) => a.from - b.from || a.to - b.to);
  let at = 0;
  for (const { name, from, to } of entries) {
    if (from !== at)
      throw broken(
        from < at ? `the bytes of ${quoted(name)} overlap others` : `no tensor has the bytes ${at}–${from}`,
      );
    at = to;
  }
  if (at !== data.length)
    throw broken(`its tensors have ${at} bytes, and ${data.length} bytes follow its header`);
  return entries.map(({ name, shape, kind, from, to }) => ({
    name,
    shape,
    values: kind.read(data.subarray(from, to)),
  }));
}

/**
 * Writes tensors as a safetensors file, float32, in the given order.
 *
 * @param metadata texts for readers, as the format allows them.
 */
export function writeSafetensors(
  tensors: readonly GivenTensor[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const entries: [string, unknown][] = Object.keys(metadata).length > 0 ? [['__metadata__', metadata]] : [];
  let size = 0;
  for (const { name, shape, values } of tensors) {
    entries.push([name, { dtype: 'F32', shape, data_offsets: [size, size + values.byteLength] }]);
    size += values.byteLength;
  }
  // Entries are joined as text: an object would move names such as "1" to the front.
  const json = new TextEncoder().encode(
    `{${entries.map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`).join(',')}}`,
  );
  // The tensors begin at a multiple of eight.
  const length = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(8 + length + size);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, 8);
  bytes.fill(0x20, 8 + json.length, 8 + length);
  let at = 8 + length;
  for (const { values } of tensors) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return bytes;
}

function partsOf(bytes: Uint8Array): { header: Record<string, unknown>; data: Uint8Array } {
  if (bytes.length < 8) throw broken('it has fewer than 8 bytes');
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > MAX_SAFETENSORS_HEADER)
    throw weightsInvalid(
      `they are no safetensors file, or its header has ${length} bytes, more than ${MAX_SAFETENSORS_HEADER}`,
    );
  const end = 8 + Number(length);
  if (end > bytes.length) throw broken('it ends within its header');
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.slice(8, end)));
  } catch (thrown) {
    throw broken('its header is no JSON', thrown);
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw broken('its header is no JSON object');
  return { header: header as Record<string, unknown>, data: bytes.subarray(end) };
}

function entryOf(name: string, value: unknown): Entry {
  const parsed = EntrySchema.safeParse(value);
  if (!parsed.success)
    throw broken(`its header gives no dtype, shape of at most 8 sizes and data_offsets for ${quoted(name)}`);
  const { dtype, shape, data_offsets } = parsed.data;
  const kind = numberKinds.get(dtype);
  if (kind === undefined)
    throw weightsInvalid(
      `${quoted(name)} has numbers of the kind ${quoted(dtype)}. Save them as one of ${[...numberKinds.keys()].join(', ')}`,
    );
  const [from, to] = data_offsets;
  const size = shapeSize(shape) * kind.bytes;
  if (to - from !== size)
    throw broken(
      `${quoted(name)} of shape [${shape.join(', ')}] and kind ${dtype} needs ${size} bytes, and has ${to - from}`,
    );
  return { name, shape, kind, from, to };
}

function broken(why: string, cause?: unknown): ReturnType<typeof weightsInvalid> {
  return weightsInvalid(`the safetensors file is damaged or cut short: ${why}`, cause);
}
