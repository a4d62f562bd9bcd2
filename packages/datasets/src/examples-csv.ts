import { classesOf, type DataSchema, exampleSize, type Feature, targetColumns } from '@coppice/protocol';
import { categoryNames } from './categories.ts';
import type { RawExamples } from './examples.ts';

/**
 * Writes examples as CSV: a header of column names, then a line for each example, the label or labels last. Categories and classes
 * are written by name; a category that is not listed as `other`. `readTable` and `takeRows` read the same examples from it.
 *
 * @param examples Of checked sizes.
 */
export function examplesCsv({ count, features, labels }: RawExamples, data: DataSchema): string {
  const size = exampleSize(data);
  const classes = classesOf(data);
  const names =
    data.kind === 'table'
      ? data.features.map(({ name }) => name)
      : Array.from({ length: size }, (_, i) => `pixel ${i + 1}`);
  const columns = targetColumns(data);
  const targets =
    data.kind === 'image'
      ? ['class']
      : columns.length > 1
        ? columns.map(({ name }) => name)
        : [data.target.name];
  const written = data.kind === 'table' ? data.features.map(cellsOf) : null;
  const lines = [[...names, ...targets].map(quoted).join(',')];
  for (let row = 0; row < count; row++) {
    const values = features.subarray(row * size, (row + 1) * size);
    const cells = written === null ? values : written.map((write, i) => write(values[i] as number));
    const own = Array.from(labels.subarray(row * targets.length, (row + 1) * targets.length), (label) =>
      classes === null ? String(label) : quoted(classes[label] as string),
    );
    lines.push(`${cells.join(',')},${own.join(',')}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Writes the values of a column. */
function cellsOf(feature: Feature): (value: number) => string {
  if (feature.kind !== 'category') return String;
  const nameOf = categoryNames(feature);
  return (value) => quoted(nameOf(value));
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
