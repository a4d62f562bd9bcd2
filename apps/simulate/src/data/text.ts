import type { InspectedFile, InspectedReason, LeftOutColumn } from '@coppice/datasets/reading';
import { plainText } from '../terminal/plain-text.ts';

/** The most lines of a list; more would bury the rest. */
const LISTED = 20;
/** The widest cell. */
const WIDE = 24;

const separatorNames: Readonly<Record<string, string>> = {
  ',': 'commas',
  ';': 'semicolons',
  '\t': 'tabs',
  '|': 'pipes',
  ' ': 'spaces',
};

const reasonTexts: Readonly<Record<InspectedReason['reason'], string>> = {
  missing: 'no value',
  'not-a-number': 'not a number',
  'out-of-range': 'out of range',
  'unknown-class': 'none of the classes',
  'too-many-cells': 'more cells than columns',
  'no-column': 'no such column',
};

const leftOutTexts: Readonly<Record<LeftOutColumn['reason'], string>> = {
  index: 'it numbers or names the rows',
  'all-different': 'nearly every row has a text of its own',
  'one-value': 'all rows have the same value',
  'extreme-values': 'its numbers are too large, or too close to each other, to be scaled',
  empty: 'it has no values',
  'long-values': 'its values are longer than 100 characters',
};

/** An inspection for people. */
export function inspectionText(
  { inspection, reading, leftOut, unlisted }: InspectedFile,
  file: string,
): string {
  const { columns, rows, reasons, classes, first } = inspection;
  const form = [
    ...(reading.kind === 'text'
      ? [inspection.encoding, separatorNames[inspection.separator ?? ','] ?? '']
      : [reading.kind]),
    ...(reading.sheet === null ? [] : [`sheet "${reading.sheet}"`]),
    `decimal ${inspection.decimal === ',' ? 'comma' : 'point'}`,
    inspection.header ? 'header' : 'no header',
    ...(reading.titleRows === 0 ? [] : [`${reading.titleRows} rows before the table`]),
  ];
  const parts = [
    `${plainText(file)}: ${form.join(', ')}`,
    grid([
      ['column', 'kind', 'role', ...first.map((_, row) => `row ${row + 1}`)],
      ...columns
        .slice(0, LISTED)
        .map(({ name, kind, role }, at) => [name, kind, role, ...first.map((row) => String(row[at] ?? ''))]),
    ]) + more(columns.length),
    `${rows.taken} ${rows.taken === 1 ? 'row' : 'rows'} taken, ${rows.left} left out`,
    ...(reasons.length === 0
      ? []
      : [
          grid([
            ['left out', 'rows', 'first row', 'column', 'value'],
            ...reasons
              .slice(0, LISTED)
              .map(({ reason, count, row, column, value }) => [
                reasonTexts[reason],
                `${count}`,
                `${row}`,
                column,
                value,
              ]),
          ]) + more(reasons.length),
        ]),
    ...(unlisted.length === 0
      ? []
      : [
          `taken as any other value:\n${grid(unlisted.slice(0, LISTED).map(({ column, value, count }) => [column, value, `${count}`]))}${more(unlisted.length)}`,
        ]),
    ...(classes === null
      ? []
      : [
          grid([
            ['class', 'rows'],
            ...Object.entries(classes)
              .slice(0, LISTED)
              .map(([name, count]) => [name, `${count}`]),
          ]) + more(Object.keys(classes).length),
        ]),
    ...leftOut
      .slice(0, LISTED)
      .map(({ name, reason }) => `"${plainText(name)}" is no feature: ${leftOutTexts[reason]}`),
  ];
  return `${parts.join('\n\n')}\n`;
}

function more(count: number): string {
  return count > LISTED ? `\n… and ${count - LISTED} more` : '';
}

function grid(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((cell) => shortened(plainText(cell))));
  const widths = cells.reduce<number[]>(
    (most, row) => row.map((cell, at) => Math.max(most[at] ?? 0, cell.length)),
    [],
  );
  return cells
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function shortened(cell: string): string {
  return cell.length > WIDE ? `${cell.slice(0, WIDE - 1)}…` : cell;
}
