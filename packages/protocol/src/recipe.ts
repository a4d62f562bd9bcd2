import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { utf8 } from './layout.ts';
import { pictureRange } from './picture-range.ts';
import { hasScaledTarget, targetScaling } from './target.ts';
import type { DataSchema } from './task.ts';

/** The capability to give the model columns of categories, one-hot. */
const CATEGORY = 'data:category';
/** The capability to train on a numeric target that the task scales. */
const SCALED_TARGET = 'data:scaled-target';
/** The capability to bring the bytes of pictures to another range than 0–1. */
const PICTURE_RANGE = 'data:picture-range';

/** Every capability that some task's data requires of a participant. */
export const dataCapabilities: readonly string[] = [CATEGORY, SCALED_TARGET, PICTURE_RANGE];

/** The capabilities that a task's data requires of a participant. */
export function requiresOfData(data: DataSchema): string[] {
  const categories = data.kind === 'table' && data.features.some(({ kind }) => kind === 'category');
  return [
    ...(categories ? [CATEGORY] : []),
    ...(hasScaledTarget(data) ? [SCALED_TARGET] : []),
    ...(pictureRange(data) === '0-1' ? [] : [PICTURE_RANGE]),
  ];
}

/**
 * The hash of everything that decides how a task's raw data become the model's input and target: kind, sizes, ink,
 * range, columns in order with their scaling or values, classes or the target's scaling. Units, plausible ranges, help and
 * `drawable` are left out. Two sides with the same hash give a model the same numbers. `docs/protocol.md` has the
 * canonical form.
 *
 * @returns SHA-256, 64 lower-case hexadecimal digits.
 */
export function recipeHash(data: DataSchema): string {
  return bytesToHex(sha256(utf8(['coppice recipe 1', ...linesOf(data)].join('\n'))));
}

function linesOf(data: DataSchema): string[] {
  if (data.kind === 'image') {
    const { width, height, channels, classes, ink } = data;
    const range = pictureRange(data);
    const picture = `image ${width} ${height} ${channels} ${ink ?? 'any'}`;
    // Tasks from before there were ranges keep their hash.
    return [range === '0-1' ? picture : `${picture} ${range}`, ...named('class', classes)];
  }
  const { features, target } = data;
  const { mean, scale } = targetScaling(data);
  return [
    `table ${features.length}`,
    ...features.flatMap((feature) =>
      feature.kind === 'category'
        ? named('category', feature.values, feature.name)
        : [`number ${double(feature.mean)} ${double(feature.scale)} ${counted(feature.name)}`],
    ),
    ...(target.kind === 'class'
      ? named('class', target.classes, target.name)
      : [`number ${double(mean)} ${double(scale)} ${counted(target.name)}`]),
  ];
}

/** A line with the number of names and the name of the column, where it has one, then a line for each name. */
function named(kind: string, names: readonly string[], column?: string): string[] {
  const first = `${kind} ${names.length}`;
  return [column === undefined ? first : `${first} ${counted(column)}`, ...names.map(counted)];
}

/** A text after its length in bytes of UTF-8, so that line feeds and spaces in it are no ends. */
function counted(text: string): string {
  return `${utf8(text).length}:${text}`;
}

/** The 16 hexadecimal digits of a float64, sign and exponent first. Both zeros are the positive one. */
function double(value: number): string {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value + 0);
  return bytesToHex(bytes);
}
