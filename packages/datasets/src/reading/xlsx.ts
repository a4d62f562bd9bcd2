import { CoppiceError } from '@coppice/protocol';
import { unzipSync } from 'fflate';
import type { Reading, ReadingChoices } from './choices.ts';
import { refuse } from './file-kind.ts';
import { type FormRows, formOfRows } from './rows-form.ts';
import { MAX_COLUMNS } from './scan.ts';
import type { Table } from './table.ts';
import { TableBuilder } from './table-builder.ts';
import { attributesOf, readXml } from './xml.ts';

/** The most bytes that the parts of a workbook may have once they are unpacked. */
const MAX_UNPACKED = 512 * 1024 * 1024;
/** Rows that guesses look at. */
const SAMPLE_ROWS = 1000;

/**
 * Reads a sheet of an Excel workbook, the values alone: of a formula the result that was stored with it. Dates become texts such as
 * `2024-03-05`, errors such as `#N/A` empty cells.
 *
 * @throws CoppiceError `data-invalid` where the file is another archive, is damaged, has no such sheet, or unpacks to more than
 *   512 MiB; `data-empty`
 */
export function readWorkbook(bytes: Uint8Array, choices: ReadingChoices): Table {
  try {
    return readSheet(bytes, choices);
  } catch (cause) {
    if (cause instanceof CoppiceError) throw cause;
    throw new CoppiceError(
      'data-invalid',
      'This workbook cannot be unpacked: it is damaged. Save it again in Excel, or as CSV.',
      { cause },
    );
  }
}

function readSheet(bytes: Uint8Array, choices: ReadingChoices): Table {
  const names: string[] = [];
  const small = unpack(bytes, (name) => {
    names.push(name);
    return name === 'xl/workbook.xml' || name === 'xl/_rels/workbook.xml.rels' || name === 'xl/styles.xml';
  });
  const workbook = small['xl/workbook.xml'];
  if (workbook === undefined) refuse(archiveName(names));
  const { sheets, epoch1904 } = readSheetList(workbook);
  const wanted = choices.sheet ?? sheets[0]?.name;
  const sheet = sheets.find(({ name }) => name === wanted);
  if (sheet === undefined)
    throw new CoppiceError(
      'data-invalid',
      `The workbook has no sheet "${(wanted ?? '').slice(0, 100)}". Choose one of its sheets.`,
    );
  const path = pathOf(sheet.relation, small['xl/_rels/workbook.xml.rels']) ?? 'xl/worksheets/sheet1.xml';
  const parts = unpack(bytes, (name) => name === path || name === 'xl/sharedStrings.xml');
  const content = parts[path];
  if (content === undefined) throw new Error(`no part ${path}`);
  const strings = sharedStrings(parts['xl/sharedStrings.xml']);
  const dates = dateStyles(small['xl/styles.xml']);
  const reading: Omit<Reading, 'header' | 'titleRows' | 'decimal' | 'thousands'> = {
    kind: 'xlsx',
    encoding: null,
    separator: null,
    quote: null,
    comment: null,
    sheets: sheets.map(({ name }) => name),
    sheet: sheet.name,
  };
  return readRows(content, new CellReader(strings, dates, epoch1904), reading, choices);
}

function unpack(bytes: Uint8Array, wanted: (name: string) => boolean): Record<string, Uint8Array> {
  let total = 0;
  return unzipSync(bytes, {
    filter: ({ name, originalSize }) => {
      if (!wanted(name)) return false;
      total += originalSize;
      if (total > MAX_UNPACKED)
        throw new CoppiceError(
          'data-invalid',
          `This workbook unpacks to more than ${MAX_UNPACKED / 1024 / 1024} MiB, more than is read. Save the sheet as CSV.`,
        );
      return true;
    },
  });
}

function archiveName(names: readonly string[]): string {
  if (names.includes('word/document.xml')) return 'a Word document';
  if (names.includes('ppt/presentation.xml')) return 'a PowerPoint presentation';
  if (names.includes('xl/workbook.bin')) return 'a binary workbook (.xlsb)';
  if (names.includes('content.xml')) return 'an OpenDocument file';
  return 'a zip archive without a workbook';
}

interface SheetEntry {
  readonly name: string;
  readonly relation: string;
}

function readSheetList(workbook: Uint8Array): { sheets: SheetEntry[]; epoch1904: boolean } {
  const sheets: SheetEntry[] = [];
  let epoch1904 = false;
  readXml(workbook, {
    open(tag, written) {
      const attributes = attributesOf(written);
      if (tag === 'workbookPr') epoch1904 = ['1', 'true'].includes(attributes['date1904'] ?? '');
      if (tag === 'sheet')
        sheets.push({
          name: attributes['name'] ?? '',
          relation: attributes['r:id'] ?? attributes['id'] ?? '',
        });
    },
  });
  return { sheets, epoch1904 };
}

function pathOf(relation: string, relations: Uint8Array | undefined): string | null {
  let path: string | null = null;
  if (relations === undefined) return null;
  readXml(relations, {
    open(tag, written) {
      if (tag !== 'Relationship') return;
      const { Id, Target = '' } = attributesOf(written);
      if (Id === relation)
        path = Target.startsWith('/') ? Target.slice(1) : `xl/${Target.replace(/^\.\//u, '')}`;
    },
  });
  return path;
}

/** The texts that cells name by their index. Phonetic guides are left out. */
function sharedStrings(content: Uint8Array | undefined): string[] {
  const strings: string[] = [];
  if (content === undefined) return strings;
  let current = '';
  let taken = false;
  let guide = false;
  let ended = false;
  readXml(content, {
    open(tag) {
      if (tag === 'si') current = '';
      else if (tag === 'rPh') guide = true;
      taken = tag === 't' && !guide;
    },
    close(tag) {
      if (tag === 'si') strings.push(current);
      else if (tag === 'rPh') guide = false;
      else if (tag === 'sst') ended = true;
      taken = false;
    },
    text(text) {
      if (taken) current += text;
    },
  });
  if (!ended) throw new Error('texts that were cut short');
  return strings;
}

/** The styles of cells whose numbers are dates: their indices. */
function dateStyles(content: Uint8Array | undefined): ReadonlySet<number> {
  const found = new Set<number>();
  if (content === undefined) return found;
  const formats = new Map<number, string>();
  let inCells = false;
  let style = 0;
  readXml(content, {
    open(tag, written) {
      if (tag === 'cellXfs') inCells = true;
      if (tag === 'numFmt') {
        const { numFmtId, formatCode = '' } = attributesOf(written);
        formats.set(Number(numFmtId), formatCode);
      }
      if (tag === 'xf' && inCells) {
        const format = Number(attributesOf(written)['numFmtId'] ?? 0);
        if (isDateFormat(format, formats.get(format))) found.add(style);
        style++;
      }
    },
    close(tag) {
      if (tag === 'cellXfs') inCells = false;
    },
  });
  return found;
}

/** By ECMA-376, part 1, 18.8.30: the numbers of the built-in formats of dates, else the letters of the format. */
function isDateFormat(format: number, code: string | undefined): boolean {
  if (code === undefined)
    return (
      (format >= 14 && format <= 17) ||
      format === 22 ||
      (format >= 27 && format <= 36) ||
      (format >= 50 && format <= 58)
    );
  const letters = code.replace(/"[^"]*"|\\.|\[[^\]]*\]|_.|\*./gu, '');
  return /[yd]/iu.test(letters) && !/general/iu.test(letters);
}

class CellReader {
  readonly #strings: readonly string[];
  readonly #dates: ReadonlySet<number>;
  readonly #epoch1904: boolean;

  constructor(strings: readonly string[], dates: ReadonlySet<number>, epoch1904: boolean) {
    this.#strings = strings;
    this.#dates = dates;
    this.#epoch1904 = epoch1904;
  }

  /** The text of a cell by its type, style and value. */
  read(type: string | undefined, style: string | undefined, value: string): string {
    if (type === 's') return (this.#strings[Number(value)] ?? '').trim();
    if (type === 'b') return value === '1' || value === 'true' ? 'true' : 'false';
    if (type === 'e') return '';
    if (type === 'str' || type === 'inlineStr' || type === 'd') return value.trim();
    const number = Number(value);
    if (value.trim() === '' || !Number.isFinite(number)) return '';
    return style !== undefined && this.#dates.has(Number(style)) && number >= 1
      ? this.#date(number)
      : String(number);
  }

  /** A day of Excel's calendar: 1 is 1900-01-01, and there is a 29 February 1900. */
  #date(serial: number): string {
    const days = this.#epoch1904 ? serial - 24_107 : serial < 60 ? serial - 25_568 : serial - 25_569;
    const date = new Date(Math.round(days * 86_400) * 1000);
    if (Number.isNaN(date.getTime()) || date.getUTCFullYear() > 9999) return String(serial);
    const iso = date.toISOString();
    return serial % 1 === 0 ? iso.slice(0, 10) : iso.slice(0, 19).replace('T', ' ');
  }
}

function readRows(
  content: Uint8Array,
  cells: CellReader,
  reading: Omit<Reading, 'header' | 'titleRows' | 'decimal' | 'thousands'>,
  choices: ReadingChoices,
): Table {
  const sample: string[][] = [];
  const numbers: number[] = [];
  let built: { readonly form: FormRows; readonly builder: TableBuilder } | null = null;
  const build = () => {
    const form = formOfRows(sample, (at) => numbers[at] as number, choices);
    const builder = new TableBuilder(form.head, form.formats);
    for (const [row, one] of sample.entries())
      if (row >= form.head.firstRow) builder.addRow(one, numbers[row] as number);
    built = { form, builder };
    return built;
  };
  let number = 0;
  let inRow = false;
  let row: string[] = [];
  let column = 0;
  let type: string | undefined;
  let style: string | undefined;
  let value = '';
  let taken = false;
  let guide = false;
  let ended = false;
  readXml(content, {
    open(tag, written) {
      if (tag === 'row') {
        inRow = true;
        row = [];
        column = 0;
        const said = Number(attributesOf(written)['r']);
        number = Number.isInteger(said) && said > number ? said : number + 1;
      } else if (tag === 'c') {
        const attributes = attributesOf(written);
        const place = columnOf(attributes['r']);
        column = place ?? column;
        type = attributes['t'];
        style = attributes['s'];
        value = '';
      } else if (tag === 'rPh') guide = true;
      taken = tag === 'v' || (tag === 't' && !guide);
    },
    close(tag) {
      taken = false;
      if (tag === 'c') {
        const text = cells.read(type, style, value);
        if (text !== '') {
          if (column >= MAX_COLUMNS)
            throw new CoppiceError(
              'data-invalid',
              `The sheet has cells in column ${column + 1}. Sheets of up to ${MAX_COLUMNS} columns are read: leave columns out.`,
            );
          while (row.length < column) row.push('');
          row[column] = text;
        }
        column++;
      } else if (tag === 'row' && inRow) {
        inRow = false;
        if (sample.length < SAMPLE_ROWS) {
          sample.push(row);
          numbers.push(number);
        } else (built ?? build()).builder.addRow(row, number);
      } else if (tag === 'rPh') guide = false;
      else if (tag === 'sheetData') ended = true;
    },
    text(text) {
      if (taken) value += text;
    },
  });
  // Also where the archive states a smaller size than its content has.
  if (!ended) throw new Error('a sheet that was cut short');
  const { form, builder } = built ?? build();
  return builder.finish({ ...reading, ...form.reading }, choices);
}

/** The column of a cell's address, from 0: 0 of A1, 27 of AB7. */
function columnOf(address: string | undefined): number | null {
  if (address === undefined) return null;
  let column = 0;
  for (let at = 0; at < address.length; at++) {
    const letter = address.charCodeAt(at) - 64;
    if (letter < 1 || letter > 26) break;
    column = column * 26 + letter;
  }
  return column === 0 ? null : column - 1;
}
