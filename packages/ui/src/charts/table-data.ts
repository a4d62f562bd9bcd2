import type { Point } from './smooth.ts';

/** A chart's data as rows, for its table twin and for files. */
export interface TableData {
  readonly columns: readonly string[];
  /** One row for each x, `null` where a series has no value there. */
  readonly rows: readonly (readonly (number | string | null)[])[];
}

/** Joins lines on their x values, sorted; of two points of one line at the same x, the last one counts. */
export function joinLines(lines: readonly (readonly Point[])[]): {
  readonly x: number[];
  readonly y: (number | null)[][];
} {
  const x = [...new Set(lines.flatMap((line) => line.map((point) => point.x)))].sort((a, b) => a - b);
  const place = new Map(x.map((value, index) => [value, index]));
  const y = lines.map((line) => {
    const column = new Array<number | null>(x.length).fill(null);
    for (const point of line) column[place.get(point.x)!] = point.y;
    return column;
  });
  return { x, y };
}

/** Formats CSV by RFC 4180: CRLF, quotes doubled, cells quoted where necessary. */
export function toCsv(table: TableData): string {
  return `${[table.columns, ...table.rows].map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`;
}

/** A list of one object a row, keyed by column; a missing value is `null`. */
export function toJson(table: TableData): string {
  const rows = table.rows.map((row) =>
    Object.fromEntries(table.columns.map((name, index) => [name, row[index] ?? null])),
  );
  return `${JSON.stringify(rows, null, 2)}\n`;
}

function cell(value: number | string | null): string {
  if (value === null) return '';
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The last, smallest and largest value of a line, with their positions; null for a line without values. */
export function extremes(points: readonly Point[]): {
  readonly last: { x: number; y: number };
  readonly min: { x: number; y: number };
  readonly max: { x: number; y: number };
} | null {
  const known = points.filter((point): point is { x: number; y: number } => point.y !== null);
  const last = known.at(-1);
  if (last === undefined) return null;
  return {
    last,
    min: known.reduce((best, point) => (point.y < best.y ? point : best)),
    max: known.reduce((best, point) => (point.y > best.y ? point : best)),
  };
}
