import { MAX_MODEL_BYTES } from '@coppice/protocol';
import type { ModelFile } from './model-file.ts';
import { readTfjs } from './tfjs-files.ts';
import { unreadable } from './unreadable.ts';

/** The most bytes of all files, packed and unpacked: the weights of the largest model, and an optimizer's three numbers for each. */
const MOST_BYTES = 4 * MAX_MODEL_BYTES;
const MOST_NUMBERS = MAX_MODEL_BYTES / 4;

interface GivenFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * Reads the files of one model: a `model.json`, alone or with the shards that it names; a zip archive of these; a
 * `.keras`; an `.h5`. The kind is told by the content, not by the name. Runs in Node and in a worker of a page.
 *
 * The work is bounded by the size of the files, 1 GiB unpacked, but may take seconds for large ones.
 *
 * @throws CoppiceError `model-invalid` with the reason.
 */
export async function readModelFile(files: readonly GivenFile[]): Promise<ModelFile> {
  if (files.reduce((sum, { bytes }) => sum + bytes.length, 0) > MOST_BYTES) {
    throw unreadable(`it is larger than ${MOST_BYTES / 2 ** 20} MiB, the most that is read`);
  }
  const [first] = files;
  if (first === undefined) throw unreadable('there is no file');
  if (files.length > 1) return fromFiles(files);
  if (startsWith(first.bytes, [0x50, 0x4b, 3, 4])) return fromArchive(first.bytes);
  if (startsWith(first.bytes, hdf5)) {
    const [{ Hdf5 }, { readH5 }] = await Promise.all([import('./hdf5.ts'), import('./keras-files.ts')]);
    return readH5(new Hdf5(first.bytes, MOST_NUMBERS));
  }
  if (/\.(keras|zip|h5|hdf5)$/i.test(first.name)) {
    throw unreadable(`"${first.name}" is damaged, or of another kind than its name says`);
  }
  if (/\.bin$/i.test(first.name)) throw unreadable('weights alone are no model. Give model.json with them');
  return fromFiles(files);
}

const hdf5 = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

function startsWith(bytes: Uint8Array, signature: readonly number[]): boolean {
  return signature.every((byte, i) => bytes[i] === byte);
}

async function fromArchive(bytes: Uint8Array): Promise<ModelFile> {
  const { unzip } = await import('./unzip.ts');
  const files = unzip(bytes, MOST_BYTES);
  const config = files.get('config.json');
  const weights = files.get('model.weights.h5');
  if (config !== undefined && weights !== undefined) {
    const [{ Hdf5 }, { readKeras }] = await Promise.all([import('./hdf5.ts'), import('./keras-files.ts')]);
    return readKeras(config, new Hdf5(weights, MOST_NUMBERS));
  }
  return fromFiles([...files].map(([name, content]) => ({ name, bytes: content })));
}

/** A `model.json` among files, and its shards by their names without folders. */
function fromFiles(files: readonly GivenFile[]): ModelFile {
  const json = files.filter(({ name }) => /\.json$/i.test(name) && !/(^|\/)(__MACOSX|\.)/.test(name));
  const model = json.find(({ name }) => /(^|\/)model\.json$/i.test(name)) ?? json[0] ?? only(files);
  if (model === undefined) {
    throw unreadable('there is no model.json. Give a .keras, an .h5, or a model.json with its .bin files');
  }
  const byName = new Map(files.map((file) => [baseName(file.name), file.bytes]));
  return readTfjs(model.bytes, (path) => byName.get(baseName(path)) ?? null, MOST_NUMBERS);
}

function only<T>(list: readonly T[]): T | undefined {
  return list.length === 1 ? list[0] : undefined;
}

function baseName(path: string): string {
  return path.split(/[\\/]/).at(-1) as string;
}
