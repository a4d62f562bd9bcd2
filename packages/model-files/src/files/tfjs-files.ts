import { shapeSize } from '@coppice/protocol';
import * as z from 'zod/mini';
import type { GivenTensor } from '../given-tensor.ts';
import { numberKinds } from '../numbers.ts';
import { quoted } from '../weights-invalid.ts';
import { type Described, described, type ModelFile } from './model-file.ts';
import { orUnreadable, unreadable } from './unreadable.ts';

const ManifestSchema = z.array(
  z.object({
    paths: z.array(z.string()),
    weights: z.array(
      z.object({
        name: z.string(),
        shape: z.array(z.int().check(z.nonnegative())),
        dtype: z.string(),
        quantization: z.optional(
          z.object({
            dtype: z.enum(['uint8', 'uint16', 'float16']),
            scale: z.optional(z.number()),
            min: z.optional(z.number()),
          }),
        ),
      }),
    ),
  }),
);
type Manifest = z.infer<typeof ManifestSchema>;
type Entry = Manifest[number]['weights'][number];

/** Kinds of numbers by the names of the manifest, and those that quantization makes of them. */
const kinds: Readonly<Record<string, string>> = {
  float32: 'F32',
  float16: 'F16',
  int32: 'I32',
  uint8: 'U8',
  uint16: 'U16',
  bool: 'BOOL',
};

/**
 * Reads a `model.json` and its shards. Source: `weights_manifest` and `decodeWeights` of tfjs-core 4.22.
 *
 * @param shard the content of a file that the manifest names, or null where it was not given.
 * @param most numbers of all weights together.
 * @throws CoppiceError `model-invalid`
 */
export function readTfjs(
  json: Uint8Array,
  shard: (path: string) => Uint8Array | null,
  most: number,
): ModelFile {
  const model = orUnreadable(
    () => JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json)) as unknown,
    'its JSON is damaged or cut short',
  );
  const description = described(model);
  const manifest =
    typeof model === 'object' && model !== null ? (model as { weightsManifest?: unknown }) : {};
  const { topology } = description;
  const groups = manifestOf(manifest.weightsManifest);
  const paths = groups.flatMap((group) => group.paths);
  const given = paths.filter((path) => shard(path) !== null);
  if (given.length === 0) return { topology, weights: null, format: 'tfjs' };
  const absent = paths.find((path) => shard(path) === null);
  if (absent !== undefined) {
    throw unreadable(
      `the file ${quoted(absent)} with weights is missing. Give all files of the model together`,
    );
  }
  let numbers = 0;
  const found = groups.flatMap((group) => {
    numbers += group.weights.reduce((sum, { shape }) => sum + shapeSize(shape), 0);
    if (!(numbers <= most)) throw unreadable(`its weights have more than ${most} numbers together`);
    return weightsIn(
      group,
      group.paths.map((path) => shard(path) as Uint8Array),
    );
  });
  return { topology, weights: byLayers(found, description), format: 'tfjs' };
}

function manifestOf(value: unknown): Manifest {
  if (value === undefined || value === null) return [];
  const parsed = ManifestSchema.safeParse(value);
  if (!parsed.success)
    throw unreadable('its list of weights ("weightsManifest") is in a form that is not known');
  return parsed.data;
}

function weightsIn({ weights }: Manifest[number], shards: readonly Uint8Array[]): GivenTensor[] {
  const bytes = new Uint8Array(shards.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const shard of shards) {
    bytes.set(shard, end);
    end += shard.length;
  }
  let at = 0;
  const read = weights.map((entry) => {
    const kind = numberKinds.get(kinds[entry.quantization?.dtype ?? entry.dtype] ?? '');
    if (kind === undefined) {
      throw unreadable(
        `its weight ${quoted(entry.name)} is of the type ${quoted(entry.dtype)}, which is not read`,
      );
    }
    const size = shapeSize(entry.shape) * kind.bytes;
    if (at + size > bytes.length) throw tooShort();
    const values = kind.read(bytes.subarray(at, at + size));
    at += size;
    return { name: entry.name, shape: entry.shape, values: dequantized(values, entry) };
  });
  if (at !== bytes.length) throw unreadable('its files with weights are longer than model.json says');
  return read;
}

/** value = quantized · scale + min; of `float16` the number itself. */
function dequantized(values: Float32Array, { quantization }: Entry): Float32Array {
  if (quantization === undefined || quantization.dtype === 'float16') return values;
  const { scale, min } = quantization;
  if (scale === undefined || min === undefined) {
    throw unreadable('a quantized weight has no scale or no least value');
  }
  return values.map((value) => value * scale + min);
}

/** Names the weights as the model's layout does; where a name stands for several, they come in the order of the layers. */
function byLayers(found: readonly GivenTensor[], { before, after }: Described): GivenTensor[] {
  const named = new Map<string, GivenTensor[]>();
  for (const tensor of found) {
    const name = tensor.name.replace(/:\d+$/, '');
    named.set(name, [...(named.get(name) ?? []), tensor]);
  }
  const take = (name: string) => named.get(name)?.shift();
  const given = after.flatMap(({ names }, i) =>
    names.map((name, k): GivenTensor => {
      const written = before[i]?.names[k] ?? name;
      const tensor = take(written) ?? take(name) ?? takeInner(named, written);
      if (tensor === undefined) throw unreadable(`its weight ${quoted(written)} is missing`);
      return { ...tensor, name };
    }),
  );
  const rest = [...named.values()].flat()[0];
  if (rest !== undefined) throw unreadable(`its weight ${quoted(rest.name)} belongs to none of its layers`);
  return given;
}

/** `lstm/lstm_cell/kernel`, as Keras' converter writes it, for `lstm/kernel`. */
function takeInner(named: ReadonlyMap<string, GivenTensor[]>, name: string): GivenTensor | undefined {
  for (const [written, tensors] of named) {
    const parts = written.split('/');
    if (parts.length < 3 || tensors.length === 0) continue;
    if ([...parts.slice(0, -2), parts.at(-1)].join('/') === name) return tensors.shift();
  }
  return undefined;
}

function tooShort() {
  return unreadable('its files with weights are shorter than model.json says: one may be cut short');
}
