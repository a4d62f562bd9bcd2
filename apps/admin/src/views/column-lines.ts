import type { CreateTask } from '@coppice/protocol';

type Table = Extract<CreateTask['data'], { kind: 'table' }>;
type Column = Table['features'][number];

const number = String.raw`[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?`;
const scaling = new RegExp(
  `^(?:mean\\s+(?<mean>${number}))?(?:\\s*[,，]\\s*)?(?:scale\\s+(?<scale>${number}))?$`,
  'i',
);

/**
 * Reads a line of the form as a column: `name` is one of numbers, `name: mean 14, scale 2` one of numbers with its scaling,
 * `name: oak | elm` one of categories. A colon before anything else is part of the name.
 */
export function columnOf(line: string): Column {
  const [, before, after] = /^(.+?)\s*(?::\s+|：\s*)(.+)$/u.exec(line) ?? [];
  if (before !== undefined && after !== undefined) {
    const { mean, scale } = scaling.exec(after)?.groups ?? {};
    if (mean !== undefined || scale !== undefined)
      return { name: before, mean: Number(mean ?? 0), scale: Number(scale ?? 1) };
    if (/[|｜]/u.test(after)) {
      const values = after.split(/[|｜]/u).map((value) => value.trim());
      return { kind: 'category', name: before, values: values.filter((value) => value !== '') };
    }
  }
  return { name: line, mean: 0, scale: 1 };
}
