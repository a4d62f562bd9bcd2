import { createHash } from 'node:crypto';

/* "The recipe hash" of docs/protocol.md. */

interface Scaling {
  readonly mean?: number | undefined;
  readonly scale?: number | undefined;
}

/** `data` of a task, as it travels. */
export interface RawData {
  readonly kind: string;
  readonly scaling?: string | undefined;
  readonly agreed?: object | undefined;
  readonly width?: number;
  readonly height?: number;
  readonly channels?: number;
  readonly ink?: string | undefined;
  readonly range?: string | undefined;
  readonly classes?: readonly string[];
  readonly features?: readonly (Scaling & {
    readonly kind?: string | undefined;
    readonly name: string;
    readonly values?: readonly string[];
  })[];
  readonly target?: Scaling & {
    readonly kind: string;
    readonly name: string;
    readonly classes?: readonly string[];
  };
}

const textOf = (text: string) => `${Buffer.byteLength(text)}:${text}`;

function doubleOf(value: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value === 0 ? 0 : value);
  return bytes.toString('hex');
}

const scalingOf = ({ mean = 0, scale = 1 }: Scaling) => `${doubleOf(mean)} ${doubleOf(scale)}`;

export function recipeText(data: RawData): string {
  const lines = ['coppice recipe 1'];
  const names = (first: string, all: readonly string[] = []) => lines.push(first, ...all.map(textOf));
  if (data.kind === 'image') {
    const range = data.range === undefined || data.range === '0-1' ? '' : ` ${data.range}`;
    lines.push(`image ${data.width} ${data.height} ${data.channels} ${data.ink ?? 'any'}${range}`);
    names(`class ${data.classes?.length}`, data.classes);
    return lines.join('\n');
  }
  const isAwaited = data.scaling === 'agreed' && data.agreed === undefined;
  const scalingNow = (one: Scaling) => (isAwaited ? 'agreed' : scalingOf(one));
  lines.push(`table ${data.features?.length}`);
  for (const feature of data.features ?? []) {
    if (feature.kind === 'category')
      names(`category ${feature.values?.length} ${textOf(feature.name)}`, feature.values);
    else lines.push(`number ${scalingNow(feature)} ${textOf(feature.name)}`);
  }
  const { target } = data;
  if (target?.kind === 'class')
    names(`class ${target.classes?.length} ${textOf(target.name)}`, target.classes);
  else if (target !== undefined) lines.push(`number ${scalingNow(target)} ${textOf(target.name)}`);
  return lines.join('\n');
}

export function recipeHash(data: RawData): string {
  return createHash('sha256').update(recipeText(data), 'utf8').digest('hex');
}

/** Inputs of a stored row, with one-hot categories, or of the bytes of a picture: "Task" of docs/protocol.md. */
export function inputsOf(data: RawData, row: readonly number[]): number[] {
  if (data.kind === 'image') {
    if (data.range === '0-255') return [...row];
    return row.map((byte) => (data.range === '-1-1' ? (2 * byte - 255) / 255 : byte / 255));
  }
  return (data.features ?? []).flatMap(({ kind, values = [], mean = 0, scale = 1 }, i) => {
    const value = row[i] as number;
    if (kind !== 'category') return [(value - mean) / scale];
    return [...values, 'any other value'].map((_, place) => (place === value ? 1 : 0));
  });
}
