import { CoppiceError } from '@coppice/protocol';
import { type Compressors, parquetMetadata, parquetRead, parquetSchema } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import type { ReadingChoices } from './choices.ts';
import { PLAIN } from './number-format.ts';
import { MAX_COLUMNS } from './scan.ts';
import type { Table } from './table.ts';
import { TableBuilder, tooMany } from './table-builder.ts';

/** The most bytes that one page of a column may have once it is unpacked. */
const MAX_PAGE = 256 * 1024 * 1024;
/** The most rows. */
const MAX_ROWS = 50_000_000;

/**
 * Reads a Parquet file, by row groups. Dates and times become texts such as `2024-03-05`, lists and structures their JSON.
 *
 * @throws CoppiceError `data-invalid` where it is damaged or beyond the limits, `data-empty`
 */
export async function readParquet(bytes: Uint8Array, choices: ReadingChoices): Promise<Table> {
  try {
    return await readColumns(bytes, choices);
  } catch (cause) {
    if (cause instanceof CoppiceError) throw cause;
    throw new CoppiceError(
      'data-invalid',
      'This Parquet file cannot be read: it is damaged, or written in a way that is not known. Write it again, or as CSV.',
      { cause },
    );
  }
}

async function readColumns(bytes: Uint8Array, choices: ReadingChoices): Promise<Table> {
  const file = new Uint8Array(bytes).buffer;
  const metadata = parquetMetadata(file);
  const names = parquetSchema(metadata).children.map(({ element }) => element.name);
  if (names.length > MAX_COLUMNS) tooMany(names.length);
  const rows = Number(metadata.num_rows);
  if (!(rows <= MAX_ROWS)) tooLarge(`${rows} rows`);
  const head = {
    titleRows: 0,
    header: true,
    names,
    firstRow: 1,
    indexColumns:
      choices.indexColumns ??
      [...names.keys()].filter((at) => /^__index_level_\d+__$/u.test(names[at] as string)),
  };
  const builder = new TableBuilder(
    head,
    names.map(() => PLAIN),
  );
  const read = names.map(() => 0);
  let first = 0;
  for (const group of metadata.row_groups) {
    const end = first + Number(group.num_rows);
    // One column after another: of several at once, hyparquet leaves the failures behind the first without a handler.
    for (const [place, name] of names.entries()) {
      await parquetRead({
        file,
        metadata,
        compressors: bounded,
        columns: [name],
        rowStart: first,
        rowEnd: end,
        onChunk: ({ columnData, rowStart }) => {
          for (let i = 0; i < columnData.length; i++) {
            const row = rowStart + i;
            if (row !== read[place] || row >= end) continue;
            builder.columns[place]?.addValue(columnData[i]);
            (read[place] as number)++;
          }
        },
      });
    }
    first = end;
  }
  if (read.some((count) => count !== rows)) throw new Error('columns of different lengths');
  builder.hold(rows, 2);
  return builder.finish(
    {
      kind: 'parquet',
      encoding: null,
      separator: null,
      quote: null,
      decimal: '.',
      thousands: null,
      header: true,
      titleRows: 0,
      comment: null,
      sheets: [],
      sheet: null,
    },
    choices,
  );
}

/** The decompressors, each refusing pages that would be too large. */
const bounded: Compressors = Object.fromEntries(
  Object.entries(compressors).map(([codec, unpack]) => [
    codec,
    (input: Uint8Array, size: number) => {
      if (!(size <= MAX_PAGE)) tooLarge(`a page of ${size} bytes`);
      return unpack(input, size);
    },
  ]),
);

function tooLarge(what: string): never {
  throw new CoppiceError(
    'data-invalid',
    `This Parquet file has ${what}, more than is read. Write less of it.`,
  );
}
