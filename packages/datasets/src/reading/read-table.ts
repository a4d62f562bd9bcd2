import { CoppiceError } from '@coppice/protocol';
import type { NumberFormat, Reading, ReadingChoices } from './choices.ts';
import { decoderFor, EncodingWitness, guessEncoding } from './encoding.ts';
import { kindOfFile, refuseBinary } from './file-kind.ts';
import {
  chosenFormat,
  guessHead,
  guessLines,
  type Head,
  isComment,
  type LineForm,
  type Numbers,
  numbersOf,
  sampleRows,
  signsOf,
} from './guess.ts';
import { countSigns, noSigns, standsForNothing } from './number-format.ts';
import { Cells, MAX_ROW, refuseLongRow, scanRows } from './scan.ts';
import type { Table } from './table.ts';
import { TableBuilder } from './table-builder.ts';

/** Bytes that are read in one turn. */
const CHUNK = 1024 * 1024;
/** Bytes of a text that guesses look at. */
const SAMPLE = 512 * 1024;
/** Rows that a sample should have. */
const FEW_ROWS = 50;
/** Different cells of a column that are looked at once all rows are read. */
const LOOKED_AT = 5000;

/**
 * Reads a table from a file: text (CSV, TSV and their kin), an Excel workbook (.xlsx) or Parquet. All that `choices` leave open is
 * guessed from the beginning of the file, the encoding from all of it, and given back in `reading`.
 *
 * A `Blob` is read in parts of a mebibyte, each in a turn of the event loop of its own; bytes are read at once. Memory is that of
 * the columns' blocks: of a text file no more than a few mebibytes beside.
 *
 * @throws CoppiceError `data-empty` where there are no rows, `data-invalid` where the file is of another kind (named), damaged,
 *   or beyond the limits: 5,000 columns, 16 million characters a row.
 */
export async function readTable(file: Uint8Array | Blob, choices: ReadingChoices = {}): Promise<Table> {
  const source = file instanceof Uint8Array ? new BytesSource(file) : new BlobSource(file);
  const kind = kindOfFile(await source.part(0, 64));
  if (kind === 'zip') return (await import('./xlsx.ts')).readWorkbook(await source.all(), choices);
  if (kind === 'parquet') return (await import('./parquet.ts')).readParquet(await source.all(), choices);
  return readText(source, choices);
}

interface Source {
  readonly size: number;
  part(start: number, end: number): Promise<Uint8Array> | Uint8Array;
  all(): Promise<Uint8Array> | Uint8Array;
}

class BytesSource implements Source {
  readonly #bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }
  get size(): number {
    return this.#bytes.length;
  }
  part(start: number, end: number): Uint8Array {
    return this.#bytes.subarray(start, end);
  }
  all(): Uint8Array {
    return this.#bytes;
  }
}

class BlobSource implements Source {
  readonly #blob: Blob;
  constructor(blob: Blob) {
    this.#blob = blob;
  }
  get size(): number {
    return this.#blob.size;
  }
  async part(start: number, end: number): Promise<Uint8Array> {
    return new Uint8Array(await this.#blob.slice(start, end).arrayBuffer());
  }
  all(): Promise<Uint8Array> {
    return this.part(0, this.#blob.size);
  }
}

async function readText(source: Source, choices: ReadingChoices): Promise<Table> {
  const encoding = await encodingOf(source, choices);
  const { sample, whole } = await sampleOf(source, encoding);
  refuseBinary(sample);
  const form = guessLines(sample, whole, choices);
  const { rows, remarks } = sampleRows(sample, whole, form);
  const head = guessHead(rows, (row) => remarks.has(row), form.separatorLine ? 1 : 0, choices);
  const signs = signsOf(
    rows.filter((_, row) => row >= head.firstRow && !remarks.has(row)),
    head.names.length,
  );
  const numbers = numbersOf(signs, form.separator === ',', choices);
  const reading: Reading = {
    kind: 'text',
    encoding,
    separator: form.separator,
    quote: form.quote,
    decimal: numbers.decimal,
    thousands: numbers.thousands,
    header: head.header,
    titleRows: head.titleRows,
    comment: form.comment,
    sheets: [],
    sheet: null,
  };
  const read = await readRows(source, encoding, form, head, numbers.formats);
  const corrected = correctedFormats(read, numbers, choices);
  const built = corrected === null ? read : await readRows(source, encoding, form, head, corrected);
  return built.finish(reading, choices);
}

async function encodingOf(source: Source, choices: ReadingChoices): Promise<string> {
  if (choices.encoding !== undefined) return decoderFor(choices.encoding).encoding;
  const witness = new EncodingWitness();
  for (let at = 0; at < source.size; at += CHUNK) {
    witness.add(await source.part(at, at + CHUNK), at + CHUNK >= source.size);
  }
  return guessEncoding(witness.evidence());
}

/** The beginning of the text: more of it where the rows are long. */
async function sampleOf(source: Source, encoding: string): Promise<{ sample: string; whole: boolean }> {
  for (let size = SAMPLE; ; size *= 4) {
    const bytes = await source.part(0, size);
    const whole = bytes.length >= source.size;
    const sample = decoderFor(encoding).decode(bytes, { stream: !whole });
    const rows = sample.match(/[\r\n]+/gu)?.length ?? 0;
    if (whole || rows >= FEW_ROWS || (rows > 0 && size >= 16 * SAMPLE)) return { sample, whole };
    if (sample.length > MAX_ROW) refuseLongRow();
  }
}

async function readRows(
  source: Source,
  encoding: string,
  form: LineForm,
  head: Head,
  formats: readonly NumberFormat[],
): Promise<TableBuilder> {
  const builder = new TableBuilder(head, formats);
  const decoder = decoderFor(encoding);
  const cells = new Cells();
  let row = -1;
  let rest = '';
  const { firstRow } = head;
  const onRow = (): undefined => {
    row++;
    if (row < firstRow || cells.blank || isComment(cells, form.comment)) return;
    if (cells.unclosed)
      throw new CoppiceError(
        'data-invalid',
        `The quotation mark that opens a cell in row ${row + 1} is never closed. Close it, or read the file without quotation marks.`,
      );
    builder.addCells(cells, row + 1);
  };
  for (let at = 0; at < source.size; at += CHUNK) {
    const last = at + CHUNK >= source.size;
    const text = rest + decoder.decode(await source.part(at, at + CHUNK), { stream: !last });
    rest = text.slice(scanRows(text, form, last, cells, onRow));
    builder.flush();
  }
  return builder;
}

/** The formats of columns whose later cells speak for another one than the sample; `null` where none do. */
function correctedFormats(
  { columns }: TableBuilder,
  { decimal, formats }: Numbers,
  choices: ReadingChoices,
): NumberFormat[] | null {
  let corrected: NumberFormat[] | null = null;
  for (const [column, { texts, values, counts }] of columns.entries()) {
    if (choices.decimal !== undefined || choices.formats?.[column] !== undefined) continue;
    const signs = noSigns();
    let unread = 0;
    let filled = 0;
    for (const [code, text] of texts.slice(0, LOOKED_AT).entries()) {
      if (standsForNothing(text)) continue;
      filled += counts[code] as number;
      countSigns(text, signs, counts[code]);
      if (Number.isNaN(values[code]) && /\d/u.test(text)) unread++;
    }
    if (unread === 0 || signs.numbers < 0.8 * filled) continue;
    const better = chosenFormat(signs, column, decimal, choices);
    const known = formats[column] as NumberFormat;
    if (
      better.decimal === known.decimal &&
      better.thousands === known.thousands &&
      better.percent === known.percent
    )
      continue;
    corrected ??= [...formats];
    corrected[column] = better;
  }
  return corrected;
}
