import {
  type NumberFormat,
  type ReadingChoices,
  type Separator,
  separators,
  type ThousandsSign,
} from './choices.ts';
import { isBoolean, readDate } from './dates.ts';
import {
  countSigns,
  decimalOf,
  type FormatSigns,
  formatOf,
  noSigns,
  readNumberText,
  standsForNothing,
} from './number-format.ts';
import { Cells, scanRows, type TextForm } from './scan.ts';

/** The most rows of a sample that are looked at. */
const LOOKED_AT = 1000;
/** The most rows of titles before a table. */
const MAX_TITLES = 30;

/** The form of the lines of a file. */
export interface LineForm extends TextForm {
  readonly comment: '#' | null;
  /** True where the first line names the separator, as Excel writes it: `sep=;`. */
  readonly separatorLine: boolean;
}

/**
 * Guesses separator, quotation marks and comments from the beginning of a text.
 *
 * @param whole True where the sample is the whole text.
 */
export function guessLines(sample: string, whole: boolean, choices: ReadingChoices): LineForm {
  const named = /^\s*"?sep=(.)"?[ \t]*(?:\r\n?|\n)/iu.exec(sample);
  const separatorLine = named !== null;
  const said = named?.[1] as Separator | undefined;
  const body = separatorLine ? sample.slice((named as RegExpExecArray)[0].length) : sample;
  const comment = choices.comment !== undefined ? choices.comment : /^\s*#/u.test(body) ? '#' : null;
  const chosen = choices.separator ?? (said !== undefined && '\t;|, '.includes(said) ? said : undefined);
  const marks = choices.quote === undefined ? (['"', "'"] as const) : [choices.quote];
  const candidates: readonly Separator[] = chosen === undefined ? separators : [chosen];
  let form: TextForm = { separator: chosen ?? ',', quote: marks[0] };
  let best = 0;
  let refusal: unknown = null;
  for (const quote of marks) {
    if (quote === "'") {
      if (!isSingleQuoted(body)) break;
      best = 0;
    }
    for (const separator of candidates) {
      try {
        const score = consistency(body, whole, { separator, quote }, comment);
        if (score > best) [form, best] = [{ separator, quote }, score];
      } catch (failure) {
        // More cells than columns may be: this is not the separator, if there is another.
        refusal = failure;
      }
    }
  }
  if (best === 0 && refusal !== null) throw refusal;
  // A mark that is never closed would swallow the rest of the file.
  if (choices.quote === undefined && whole && hasUnclosed(body, form)) form = { ...form, quote: null };
  return { ...form, comment, separatorLine };
}

/** How alike the rows are with a separator: the share of rows of the most frequent width; 0 where that is one cell. */
function consistency(text: string, whole: boolean, form: TextForm, comment: '#' | null): number {
  const widths = new Map<number, number>();
  let rows = 0;
  scanRows(text, form, whole, new Cells(), (cells) => {
    if (cells.blank || isComment(cells, comment)) return;
    widths.set(cells.count, (widths.get(cells.count) ?? 0) + 1);
    return ++rows < 200;
  });
  let most = 0;
  for (const [width, count] of widths) if (width > 1) most = Math.max(most, count / rows);
  // Words of texts are separated by spaces, too.
  return form.separator === ' ' ? most * 0.9 : most;
}

/** True where cells stand in apostrophes, one in most rows, and none in quotation marks. */
function isSingleQuoted(text: string): boolean {
  if (text.includes('"')) return false;
  const cells = text.match(/(?:^|[,;\t| ])'[^'\r\n]*'(?=[,;\t| \r\n]|$)/gmu) ?? [];
  return cells.length > 0 && cells.length * 2 > (text.match(/[^\r\n]+/gu) ?? []).length;
}

function hasUnclosed(text: string, form: TextForm): boolean {
  let unclosed = false;
  scanRows(text, form, true, new Cells(), (cells) => {
    unclosed ||= cells.unclosed;
  });
  return unclosed;
}

export function isComment(cells: Cells, comment: '#' | null): boolean {
  return comment !== null && cells.count > 0 && cells.textAt(0).startsWith(comment);
}

/** The head of a table: its columns, and where its rows begin. */
export interface Head {
  /** Rows of the file before the table, comments and the line of the separator included. */
  readonly titleRows: number;
  readonly header: boolean;
  /** Names as in the header; empty where it has none. */
  readonly names: readonly string[];
  /** The first row of data: its place among the rows. */
  readonly firstRow: number;
  readonly indexColumns: readonly number[];
}

/**
 * Finds titles, header and index columns in the first rows of a file.
 *
 * @param rows The rows, with blank ones and comments.
 * @param isRemark Tells rows that are blank or comments.
 * @param first Rows that belong to no table, such as the line of the separator.
 * @param numberOf The number of a row in the file, from 1.
 */
export function guessHead(
  rows: readonly (readonly string[])[],
  isRemark: (row: number) => boolean,
  first: number,
  choices: ReadingChoices,
  numberOf: (row: number) => number = (row) => row + 1,
): Head {
  const real = [...rows.keys()].filter((row) => row >= first && !isRemark(row));
  const width = commonWidth(real.map((row) => (rows[row] as readonly string[]).length));
  let begin = 0;
  if (choices.titleRows !== undefined)
    begin = real.findIndex((row) => numberOf(row) > (choices.titleRows as number));
  else {
    while (
      begin < MAX_TITLES &&
      begin + 1 < real.length &&
      isTitle(rows[real[begin] as number] as readonly string[], width)
    )
      begin++;
  }
  if (begin < 0) begin = real.length;
  const table = real.slice(begin).map((row) => rows[row] as readonly string[]);
  const commented =
    choices.header === undefined ? commentedHeader(rows, real[begin] ?? 0, first, table) : null;
  const header = choices.header ?? (commented !== null || looksLikeHeader(table));
  const inTable = header && commented === null;
  const [top = []] = table;
  let names = commented ?? (inTable ? top : []);
  const body = inTable ? table.slice(1) : table;
  // A header of one name less than cells in every row: the row names of R. Empty last cells are separators at line ends.
  const unnamed =
    header &&
    names.length > 0 &&
    body.length > 0 &&
    body.every((row) => row.length === names.length + 1) &&
    body.some((row) => row.at(-1) !== '');
  if (unnamed) names = ['', ...names];
  const all = Math.max(width, names.length, commonWidth(body.map((row) => row.length)));
  const padded = Array.from({ length: all }, (_, i) => names[i] ?? '');
  const firstRow = (inTable ? real[begin + 1] : real[begin]) ?? rows.length;
  return {
    titleRows: begin < real.length ? numberOf(real[begin] as number) - 1 : 0,
    header,
    names: padded,
    firstRow,
    indexColumns: choices.indexColumns ?? (header && isIndex(padded[0] ?? '', body) ? [0] : []),
  };
}

/** The most frequent width; the larger one of two. */
function commonWidth(widths: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const width of widths) counts.set(width, (counts.get(width) ?? 0) + 1);
  let best = 0;
  let most = 0;
  for (const [width, count] of counts) {
    if (count > most || (count === most && width > best)) [best, most] = [width, count];
  }
  return best;
}

function isTitle(row: readonly string[], width: number): boolean {
  if (width < 2) return false;
  const filled = row.filter((cell) => cell !== '').length;
  return row.length < width ? row.length * 2 <= width : width > 2 && filled === 1 && row[0] !== '';
}

/** The names in the last comment before a table without a header, as NumPy writes them. */
function commentedHeader(
  rows: readonly (readonly string[])[],
  begin: number,
  first: number,
  table: readonly (readonly string[])[],
): readonly string[] | null {
  const line = rows[begin - 1];
  if (begin - 1 < first || line?.[0]?.startsWith('#') !== true || looksLikeHeader(table)) return null;
  const cells = [(line[0] as string).replace(/^#+\s*/u, ''), ...line.slice(1)].filter(
    (cell, i) => i > 0 || cell !== '',
  );
  return cells.length > 1 && cells.length === table[0]?.length ? cells : null;
}

type CellKind = 'number' | 'date' | 'boolean' | 'text' | 'empty';

function kindOf(cell: string): CellKind {
  if (standsForNothing(cell)) return 'empty';
  if (isNumberLike(cell)) return 'number';
  if (readDate(cell, 'dmy') !== null || readDate(cell, 'mdy') !== null) return 'date';
  return isBoolean(cell) ? 'boolean' : 'text';
}

function isNumberLike(cell: string): boolean {
  if (!/\d/u.test(cell)) return false;
  const signs = noSigns();
  countSigns(cell, signs);
  return (
    signs.numbers > 0 || !Number.isNaN(readNumberText(cell, { decimal: '.', thousands: null, percent: true }))
  );
}

/**
 * Guesses that the first row is a header: its cells are of other kinds than those below. Numbers in it are names where they
 * stand above texts, or where they count on from each other (years, pandas' columns without names). In a table of texts a
 * header has different cells, which do not come again below.
 */
function looksLikeHeader(rows: readonly (readonly string[])[]): boolean {
  const [first, ...below] = rows;
  if (first === undefined || below.length === 0) return false;
  if (first.every((cell) => cell === '')) return false;
  let votes = 0;
  let numbersAboveNumbers = 0;
  let textsAlike = true;
  const looked = below.slice(0, 100);
  for (const [column, cell] of first.entries()) {
    const kinds = looked.map((row) => kindOf(row[column] ?? '')).filter((kind) => kind !== 'empty');
    const own = kindOf(cell);
    const common = mostFrequent(kinds);
    if (common === undefined) continue;
    if (own === 'empty') {
      if (cell === '' && column === 0) votes++;
      continue;
    }
    if (own === common || (own === 'text' && common === 'boolean')) {
      if (own === 'number') numbersAboveNumbers++;
      else if (own === 'date' || own === 'boolean') votes--;
      else if (own === 'text' && looked.some((row) => row[column] === cell)) textsAlike = false;
      if (own === 'text' && common === 'boolean') votes++;
      continue;
    }
    // Texts among numbers below may be marks of missing values; a number above texts is a name.
    if (common !== 'text' || own === 'number') votes++;
  }
  if (numbersAboveNumbers > 0) {
    if (areNames(first) && !looked.slice(0, 3).some(areNames)) return true;
    votes -= 2 * numbersAboveNumbers;
  }
  if (votes !== 0) return votes > 0;
  const texts = first.filter((cell) => cell !== '');
  return numbersAboveNumbers === 0 && textsAlike && new Set(texts).size === texts.length;
}

/** True where the numbers of a row count on: years, or pandas' 0, 1, 2 … beside its index or over three columns. */
function areNames(row: readonly string[]): boolean {
  const numbers = row.filter((cell) => cell !== '' && isNumberLike(cell)).map(Number);
  const [first = -1] = numbers;
  const counting = numbers.every((value, i) => Number.isInteger(value) && value === first + i);
  if (!counting || numbers.length < 2) return false;
  return (first >= 1900 && first <= 2100) || (first === 0 && (row[0] === '' || numbers.length > 2));
}

function mostFrequent(kinds: readonly CellKind[]): CellKind | undefined {
  const counts = new Map<CellKind, number>();
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
}

/** True for a first column without a name whose cells all differ: pandas' index, the row names of R. */
function isIndex(name: string, body: readonly (readonly string[])[]): boolean {
  if (name !== '' && !/^Unnamed: ?\d+$/u.test(name)) return false;
  const cells = body.map((row) => row[0] ?? '');
  return (
    cells.length > 0 &&
    (body[0]?.length ?? 0) > 1 &&
    new Set(cells).size === cells.length &&
    !cells.includes('')
  );
}

/** The rows at the beginning of a text, with their remarks. */
export function sampleRows(
  text: string,
  whole: boolean,
  form: LineForm,
): { readonly rows: string[][]; readonly remarks: ReadonlySet<number> } {
  const rows: string[][] = [];
  const remarks = new Set<number>();
  scanRows(text, form, whole, new Cells(), (cells) => {
    if (cells.blank || isComment(cells, form.comment)) remarks.add(rows.length);
    rows.push(cells.all());
    return rows.length < LOOKED_AT;
  });
  return { rows, remarks };
}

/** The signs of number formats in each column of a sample. */
export function signsOf(body: readonly (readonly string[])[], width: number): FormatSigns[] {
  const signs = Array.from({ length: width }, noSigns);
  for (const row of body) {
    for (const [column, cell] of row.entries()) {
      const own = signs[column];
      if (own !== undefined) countSigns(cell, own);
    }
  }
  return signs;
}

function totalOf(signs: readonly FormatSigns[]): FormatSigns {
  const total = noSigns();
  for (const one of signs) {
    for (const key of Object.keys(total) as (keyof FormatSigns)[]) total[key] += one[key];
  }
  return total;
}

/** The number formats of a table. */
export interface Numbers {
  readonly decimal: '.' | ',';
  readonly thousands: ThousandsSign | null;
  readonly formats: readonly NumberFormat[];
}

/** The number formats that the signs of each column speak for, and those chosen. */
export function numbersOf(
  signs: readonly FormatSigns[],
  commaSeparates: boolean,
  choices: ReadingChoices,
): Numbers {
  const total = totalOf(signs);
  const decimal = choices.decimal ?? decimalOf(total, commaSeparates);
  const thousands = choices.thousands !== undefined ? choices.thousands : formatOf(total, decimal).thousands;
  const formats = signs.map((own, column) => chosenFormat(own, column, decimal, choices));
  return { decimal, thousands, formats };
}

export function chosenFormat(
  signs: FormatSigns,
  column: number,
  decimal: '.' | ',',
  choices: ReadingChoices,
): NumberFormat {
  const guessed = formatOf(choices.decimal === undefined ? signs : { ...signs, ...FORCED }, decimal);
  return {
    ...guessed,
    ...(choices.thousands === undefined ? {} : { thousands: choices.thousands }),
    ...choices.formats?.[column],
  };
}

/** Signs of a column that do not speak against a chosen decimal sign. */
const FORCED: Partial<FormatSigns> = { commaDecimals: 0, pointDecimals: 0 };
