/// <reference path="./jsfive.d.ts" />
import { CoppiceError } from '@coppice/protocol';
import { Dataset, File, Group } from 'jsfive';
import { unreadable } from './unreadable.ts';

/** Parts of a file that may be read, so that one that refers to itself ends: a model has some twenty for each weight. */
const MOST_READS = 500_000;

/** A dataset of numbers. */
export interface Numbers {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly values: Float32Array;
}

/** Memory that counts what the reader takes out of it: each structure of HDF5 begins with text. */
class CountedBuffer extends ArrayBuffer {
  static override get [Symbol.species]() {
    return ArrayBuffer;
  }
  #left = MOST_READS;

  override slice(begin?: number, end?: number): ArrayBuffer {
    const from = Number(begin ?? 0);
    this.#left--;
    // A node of a tree, as far as its four letters tell; its number of entries follows.
    if (Number(end) - from === 4 && from + 8 <= this.byteLength) {
      this.#left -= new DataView(this, from + 6, 2).getUint16(0, true);
    }
    if (this.#left < 0) throw unreadable('the HDF5 file refers to more parts than a model has');
    return super.slice(begin, end);
  }
}

/** An HDF5 file, read as far as files of Keras need it. All paths are from its root. */
export class Hdf5 {
  readonly #file: File;
  readonly #size: number;
  readonly #most: number;
  #numbers = 0;
  /** Groups and datasets by their paths: a reader parses a group anew each time. */
  readonly #found = new Map<string, Group | Dataset | null>();

  /**
   * @param most numbers of all datasets together.
   * @throws CoppiceError `model-invalid`
   */
  constructor(bytes: Uint8Array, most: number) {
    const buffer = new CountedBuffer(bytes.length);
    new Uint8Array(buffer).set(bytes);
    this.#size = bytes.length;
    this.#most = most;
    this.#file = guarded(() => new File(buffer));
  }

  /** The names in a group, or null where there is no such group. */
  names(path: string): string[] | null {
    const found = this.#find(path);
    return found instanceof Group ? guarded(() => found.keys) : null;
  }

  /** A text, or the texts of a list; null where there is none. Long lists are written in parts, `name0`, `name1`, …. */
  texts(path: string, name: string): string[] | null {
    const found = this.#find(path);
    if (!(found instanceof Group)) return null;
    const attributes = guarded(() => found.attrs);
    const parts: string[] = [];
    for (let i = 0; Object.hasOwn(attributes, `${name}${i}`); i++) {
      parts.push(...textsOf(attributes[`${name}${i}`]));
    }
    if (parts.length > 0) return parts;
    return Object.hasOwn(attributes, name) ? textsOf(attributes[name]) : null;
  }

  /** @throws CoppiceError `model-invalid` where it is no dataset of numbers, or in a form that is not read. */
  numbers(path: string): Numbers | null {
    const found = this.#find(path);
    if (!(found instanceof Dataset)) return null;
    const { shape, dtype } = guarded(() => ({ shape: [...found.shape], dtype: found.dtype }));
    const [, kind, bytes] = typeof dtype === 'string' ? (/^[<>|]?([fiu])([1248])$/.exec(dtype) ?? []) : [];
    if (kind === undefined) throw unreadable(`the dataset ${path} holds no numbers`);
    if (guarded(() => found._dataobjects.chunks) != null) {
      throw unreadable(`the dataset ${path} is compressed or in chunks. Save the model again as Keras does`);
    }
    const count = shape.reduce((product, side) => product * side, 1);
    this.#numbers += count;
    if (!(this.#numbers <= this.#most)) {
      throw unreadable(`its weights have more than ${this.#most} numbers together`);
    }
    if (count * Number(bytes) > this.#size) throw damaged();
    const values = guarded(() => found.value);
    if (values.length !== count || !values.every((value) => typeof value === 'number')) throw damaged();
    return { shape, values: Float32Array.from(values as number[]) };
  }

  #find(path: string): Group | Dataset | null {
    const names = path.split('/').filter((part) => part !== '');
    const name = names.pop();
    if (name === undefined) return this.#file;
    const key = [...names, name].join('/');
    const known = this.#found.get(key);
    if (known !== undefined) return known;
    const group = this.#find(names.join('/'));
    const found =
      group instanceof Group ? guarded(() => (group.keys.includes(name) ? group.get(name) : null)) : null;
    this.#found.set(key, found);
    return found;
  }
}

function textsOf(value: unknown): string[] {
  const list = Array.isArray(value) ? (value as unknown[]) : [value];
  return list.map((text) => {
    if (typeof text !== 'string') throw damaged();
    // Texts of a fixed length are filled up.
    return inUtf8(text.replace(/\0+$/, ''));
  });
}

/** Bytes by the characters as which jsfive reads texts that are declared as ASCII. */
const windows1252 = new Map(
  Array.from({ length: 256 }, (_, byte) => [
    new TextDecoder('windows-1252').decode(Uint8Array.of(byte)),
    byte,
  ]),
);

/** h5py declares UTF-8 as ASCII where a list holds it: such a text is read as what its bytes are. */
function inUtf8(text: string): string {
  if (!/\P{ASCII}/u.test(text)) return text;
  const bytes = Array.from(text, (character) => windows1252.get(character));
  if (bytes.includes(undefined)) return text;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(bytes as number[]));
  } catch {
    return text;
  }
}

/** jsfive throws strings, and errors of reading past the end. */
function guarded<T>(read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    throw thrown instanceof CoppiceError ? thrown : damaged(thrown);
  }
}

function damaged(cause?: unknown): CoppiceError {
  return unreadable('the HDF5 file is damaged or cut short', cause);
}
