import type { RandomSource } from '@coppice/ports';
import type { Marks, Origin, Source } from './local-data.ts';

/** Bytes of an example's id. */
export const ID_BYTES = 16;

/** What new examples are marked with. */
export interface Marking {
  /** Draws the ids: a source fit for secrets on a device, a seeded one in simulations. */
  readonly random: RandomSource;
  /** The time by the coordinator's clock, milliseconds since 1970; null where it is not known. */
  readonly now: () => number | null;
}

/** Marks for `count` new examples: an id each, and the time of one moment. */
export function newMarks(count: number, { random, now }: Marking): Marks {
  return { ids: randomBytes(count * ID_BYTES, random), times: new Float64Array(count).fill(now() ?? NaN) };
}

/** Random bytes. @param length a multiple of 4. */
export function randomBytes(length: number, random: RandomSource): Uint8Array {
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < length; at += 4) view.setUint32(at, random.uint32());
  return bytes;
}

/** The ids of examples as text: 32 hexadecimal digits each. */
export function exampleIds({ ids }: Pick<Marks, 'ids'>): string[] {
  const texts: string[] = [];
  for (let at = 0; at < ids.length; at += ID_BYTES) {
    let text = '';
    for (const byte of ids.subarray(at, at + ID_BYTES)) text += byte.toString(16).padStart(2, '0');
    texts.push(text);
  }
  return texts;
}

/** The origin of examples that came in a way. */
export function originOf(source: Source): Origin {
  return source === 'sample' || source === 'outcome' ? source : 'added';
}
