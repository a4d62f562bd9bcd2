import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { utf8 } from './layout.ts';
import { pictureRange } from './picture-range.ts';
import { awaitsScaling } from './scaling.ts';
import { hasScaledTarget, targetColumns } from './target.ts';
import type { DataSchema, Task } from './task.ts';

/** The capability to give the model columns of categories, one-hot. */
const CATEGORY = 'data:category';
/** The capability to train on a numeric target that the task scales. */
const SCALED_TARGET = 'data:scaled-target';
/** The capability to bring the bytes of pictures to another range than 0–1. */
const PICTURE_RANGE = 'data:picture-range';

/** The capability to train on several numbers. */
const NUMBERS = 'data:numbers';

/** The capability to agree with the other participants on a scaling. */
const AGREED_SCALING = 'data:agreed-scaling';

/** Every capability that some task's data requires of a participant. */
export const dataCapabilities: readonly string[] = [
  CATEGORY,
  SCALED_TARGET,
  NUMBERS,
  AGREED_SCALING,
  PICTURE_RANGE,
];

/** The capabilities to train by a loss of a later version, by class weights, and to answer with a task's own measures. */
const BINARY = 'loss:binary-crossentropy';
const HUBER = 'loss:huber';
const CLASS_WEIGHTS = 'loss:class-weights';
const METRICS = 'measure:metrics';

/** Every capability that some task requires of a participant beside those of its data. */
export const objectiveCapabilities: readonly string[] = [BINARY, HUBER, CLASS_WEIGHTS, METRICS];

/** The capabilities that a task requires of a participant by its loss, its class weights and its measures. */
export function requiresOfObjective(task: Pick<Task, 'loss' | 'classWeights' | 'metrics'>): string[] {
  return [
    ...(task.loss === 'binaryCrossentropy' ? [BINARY] : []),
    ...(task.loss === 'huber' ? [HUBER] : []),
    ...(task.classWeights === undefined ? [] : [CLASS_WEIGHTS]),
    ...(task.metrics === undefined || task.metrics.length === 0 ? [] : [METRICS]),
  ];
}

/** The capabilities that a task's data requires of a participant. */
export function requiresOfData(data: DataSchema): string[] {
  const categories = data.kind === 'table' && data.features.some(({ kind }) => kind === 'category');
  return [
    ...(categories ? [CATEGORY] : []),
    ...(hasScaledTarget(data) ? [SCALED_TARGET] : []),
    ...(targetColumns(data).length > 1 ? [NUMBERS] : []),
    ...(awaitsScaling(data) ? [AGREED_SCALING] : []),
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
  // A scaling that is still to be agreed is no scaling that any two sides could share.
  const scaling = ({ mean, scale }: { mean: number; scale: number }) =>
    awaitsScaling(data) ? 'agreed' : `${double(mean)} ${double(scale)}`;
  return [
    `table ${features.length}`,
    ...features.flatMap((feature) =>
      feature.kind === 'category'
        ? named('category', feature.values, feature.name)
        : [`number ${scaling(feature)} ${counted(feature.name)}`],
    ),
    ...(target.kind === 'class' ? named('class', target.classes, target.name) : []),
    ...(target.kind === 'numbers' ? [`numbers ${target.columns.length} ${counted(target.name)}`] : []),
    ...targetColumns(data).map((column) => `number ${scaling(column)} ${counted(column.name)}`),
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
