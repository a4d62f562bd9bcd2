import type { CreateTask, Feature } from '@coppice/protocol';

type Table = Extract<CreateTask['data'], { kind: 'table' }>;
type Column = Table['features'][number];

const number = String.raw`[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?`;
const part = new RegExp(`^(?:(mean|scale|min|max)\\s+(${number})|(unit)\\s+(\\S.*))$`, 'i');

/** What a line says of a column of numbers. */
type Said = Partial<Record<'mean' | 'scale' | 'min' | 'max', number>> & { unit?: string };

/**
 * Reads a line of the form as a column: `name` is one of numbers, `name: mean 14, scale 2, min 0, max 30, unit cm` one of
 * numbers with as much of its scaling, plausible range and unit as is there, `name: oak | elm` one of categories. A colon
 * before anything else is part of the name.
 */
export function columnOf(line: string): Column {
  // A name may have colons: what is said of numbers has none.
  const [, name, numbers] = /^(.+?)\s*(?::\s+|：\s*)([^:：]+)$/u.exec(line) ?? [];
  const said = numbers === undefined ? null : saidIn(numbers);
  if (name !== undefined && said !== null) {
    const { mean = 0, scale = 1, ...more } = said;
    return { name, mean, scale, ...more };
  }
  const [, before, after] = /^(.+?)\s*(?::\s+|：\s*)(.+)$/u.exec(line) ?? [];
  if (before !== undefined && after !== undefined && /[|｜]/u.test(after)) {
    const values = after.split(/[|｜]/u).map((value) => value.trim());
    return { kind: 'category', name: before, values: values.filter((value) => value !== '') };
  }
  return { name: line, mean: 0, scale: 1 };
}

/** A column as a line of the form, which `columnOf` reads. */
export function lineOf(feature: Feature): string {
  if (feature.kind === 'category')
    return `${feature.name}: ${feature.values.join(' | ')}${feature.values.length === 1 ? ' |' : ''}`;
  const { name, mean, scale, min, max, unit } = feature;
  const parts = [
    ...(mean === 0 && scale === 1 ? [] : [`mean ${mean}`, `scale ${scale}`]),
    ...(min === undefined ? [] : [`min ${min}`]),
    ...(max === undefined ? [] : [`max ${max}`]),
    ...(unit === undefined ? [] : [`unit ${unit}`]),
  ];
  return parts.length === 0 ? name : `${name}: ${parts.join(', ')}`;
}

/** `null` where the text says nothing of a column of numbers. */
function saidIn(text: string): Said | null {
  const said: Said = {};
  for (const one of text.split(/[,，]/u)) {
    const [, name, value, isUnit, unit] = part.exec(one.trim()) ?? [];
    if (name !== undefined) said[name.toLowerCase() as 'mean'] = Number(value);
    else if (isUnit !== undefined && unit !== undefined) said.unit = unit;
    else return null;
  }
  return said;
}
