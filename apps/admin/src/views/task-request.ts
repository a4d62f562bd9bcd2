import { CoppiceError, type CreateTask, DEFAULT_HELD_OUT, type PictureRange } from '@coppice/protocol';
import { columnOf } from './column-lines.ts';

/** The form of a new task: all values as text. */
export interface TaskFields {
  readonly id: string;
  readonly titleEn: string;
  readonly titleZh: string;
  readonly descriptionEn: string;
  readonly descriptionZh: string;
  readonly kind: 'image' | 'table';
  readonly width: string;
  readonly height: string;
  readonly channels: '1' | '3';
  /** Empty: as the model was made for. */
  readonly range: PictureRange | '';
  /** One class a line. */
  readonly classes: string;
  /** One column a line, as `columnOf` reads it. */
  readonly features: string;
  /** The name of a column of categories; empty: errors are not told apart. */
  readonly groups: string;
  readonly target: string;
  readonly targetKind: 'class' | 'number';
  /** A share, 0–0.5. */
  readonly heldOut: string;
  /** Of a numeric target; empty: none, 0 and 1. */
  readonly targetUnit: string;
  readonly targetMean: string;
  readonly targetScale: string;
  readonly targetMin: string;
  readonly targetMax: string;
  /** Of a table. `agreed`: what is given of means and scales is left out. */
  readonly scaling: 'given' | 'agreed';
  /** Of the models; empty: none is stated. */
  readonly licence: string;
  readonly model: string;
}

export const blankTask: TaskFields = {
  id: '',
  titleEn: '',
  titleZh: '',
  descriptionEn: '',
  descriptionZh: '',
  kind: 'image',
  width: '28',
  height: '28',
  channels: '1',
  range: '',
  classes: '',
  features: '',
  groups: '',
  target: '',
  targetKind: 'class',
  heldOut: String(DEFAULT_HELD_OUT),
  targetUnit: '',
  targetMean: '',
  targetScale: '',
  targetMin: '',
  targetMax: '',
  scaling: 'given',
  licence: '',
  model: '',
};

/** Required fields that are empty, in the form's order. */
export function missingFields(fields: TaskFields): readonly (keyof TaskFields)[] {
  const classes = fields.kind === 'image' || fields.targetKind === 'class';
  const needed: readonly (keyof TaskFields)[] = [
    'id',
    'titleEn',
    'descriptionEn',
    ...(fields.kind === 'image' ? (['width', 'height'] as const) : (['features', 'target'] as const)),
    ...(classes ? (['classes'] as const) : []),
    'heldOut',
    'model',
  ];
  return needed.filter((name) => fields[name].trim() === '');
}

/**
 * Builds the request; the coordinator validates it.
 *
 * @throws CoppiceError `model-invalid` where the model is no JSON at all.
 */
export function taskRequest(fields: TaskFields): CreateTask {
  const both = (en: string, zh: string) =>
    zh.trim() === '' ? { en: en.trim() } : { en: en.trim(), zh: zh.trim() };
  return {
    id: fields.id.trim(),
    title: both(fields.titleEn, fields.titleZh),
    description: both(fields.descriptionEn, fields.descriptionZh),
    data: fields.kind === 'image' ? imageOf(fields) : tableOf(fields),
    model: modelOf(fields.model),
    heldOut: Number(fields.heldOut),
    ...(fields.licence.trim() === '' ? {} : { licence: fields.licence.trim() }),
  };
}

function imageOf(fields: TaskFields): CreateTask['data'] {
  return {
    kind: 'image',
    width: Number(fields.width),
    height: Number(fields.height),
    channels: fields.channels === '1' ? 1 : 3,
    classes: lines(fields.classes),
    ...(fields.range === '' ? {} : { range: fields.range }),
  };
}

function tableOf(fields: TaskFields): CreateTask['data'] {
  const name = fields.target.trim();
  const groups = fields.groups.trim();
  const isAgreed = fields.scaling === 'agreed';
  return {
    kind: 'table',
    features: lines(fields.features)
      .map(columnOf)
      .map(isAgreed ? unscaled : (column) => column),
    target:
      fields.targetKind === 'class'
        ? { kind: 'class', name, classes: lines(fields.classes) }
        : { kind: 'number', name, ...(isAgreed ? unscaledTarget : (some: Given) => some)(optional(fields)) },
    ...(isAgreed ? { scaling: 'agreed' as const } : {}),
    ...(groups === '' ? {} : { groups }),
  };
}

/** The fields of a numeric target that are filled in. */
function optional({ targetUnit, targetMean, targetScale, targetMin, targetMax }: TaskFields): Given {
  const given = [targetUnit, targetMean, targetScale, targetMin, targetMax];
  const [unit, mean, scale, min, max] = given.map((value) => value.trim());
  return {
    ...(unit ? { unit } : {}),
    ...(mean ? { mean: Number(mean) } : {}),
    ...(scale ? { scale: Number(scale) } : {}),
    ...(min ? { min: Number(min) } : {}),
    ...(max ? { max: Number(max) } : {}),
  };
}

interface Given {
  readonly unit?: string;
  readonly mean?: number;
  readonly scale?: number;
  readonly min?: number;
  readonly max?: number;
}

/** A column without the scaling that participants will agree on. */
function unscaled<C extends ReturnType<typeof columnOf>>(column: C): C {
  return column.kind === 'category' ? column : { ...column, mean: 0, scale: 1 };
}

function unscaledTarget({ mean: _mean, scale: _scale, ...rest }: Given): Given {
  return rest;
}

function modelOf(text: string): CreateTask['model'] {
  try {
    return JSON.parse(text) as CreateTask['model'];
  } catch (cause) {
    throw new CoppiceError(
      'model-invalid',
      `The model is not valid JSON: ${(cause as Error).message}. Take model.json as model.save() wrote it.`,
      { cause },
    );
  }
}

function lines(value: string): string[] {
  return value
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
