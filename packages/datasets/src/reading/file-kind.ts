import { CoppiceError } from '@coppice/protocol';

/** Names of kinds of files by their first bytes; `??` stands for any byte. */
const SIGNATURES: readonly (readonly [hex: string, name: string])[] = [
  ['89504e470d0a1a0a', 'a PNG picture'],
  ['ffd8ff', 'a JPEG picture'],
  ['474946383761', 'a GIF picture'],
  ['474946383961', 'a GIF picture'],
  ['52494646????????57454250', 'a WebP picture'],
  ['52494646????????57415645', 'a WAV recording'],
  ['49492a00', 'a TIFF picture'],
  ['4d4d002a', 'a TIFF picture'],
  ['????????66747970', 'a film or a HEIC or AVIF picture'],
  ['25504446', 'a PDF document'],
  ['d0cf11e0a1b11ae1', 'a workbook or document of an old Office (.xls, .doc)'],
  ['1f8b', 'a gzip archive'],
  ['377abcaf271c', 'a 7-Zip archive'],
  ['526172211a07', 'a RAR archive'],
  ['fd377a585a00', 'an xz archive'],
  ['28b52ffd', 'a Zstandard archive'],
  ['425a68', 'a bzip2 archive'],
  ['894844460d0a1a0a', 'an HDF5 file'],
  ['53514c69746520666f726d6174203300', 'an SQLite database'],
  ['4152524f5731', 'an Arrow file'],
  ['934e554d5059', 'a NumPy file'],
  ['7f454c46', 'a program'],
  ['4d5a??00', 'a program'],
];

export type FileKind = 'text' | 'zip' | 'parquet';

/**
 * Tells the kind of a file by its first bytes.
 *
 * @throws CoppiceError `data-invalid` naming the kind where it holds no table that can be read, `data-empty` for no bytes.
 */
export function kindOfFile(beginning: Uint8Array): FileKind {
  if (beginning.length === 0) throw new CoppiceError('data-empty', 'This file is empty. Choose another one.');
  if (startsWith(beginning, '504b0304') || startsWith(beginning, '504b0506')) return 'zip';
  if (startsWith(beginning, '50415231')) return 'parquet';
  const found = SIGNATURES.find(([hex]) => startsWith(beginning, hex));
  if (found !== undefined) refuse(found[1]);
  return 'text';
}

/** @throws CoppiceError `data-invalid` where a text has NUL characters, as only other files have. */
export function refuseBinary(text: string): void {
  if (text.includes('\0')) refuse('made of binary data');
}

/** @throws CoppiceError `data-invalid` */
export function refuse(name: string, cause?: unknown): never {
  throw new CoppiceError(
    'data-invalid',
    `This file is ${name}, not a table. Tables are read from text (CSV, TSV), Excel workbooks (.xlsx) and Parquet files.`,
    { cause },
  );
}

function startsWith(bytes: Uint8Array, hex: string): boolean {
  if (bytes.length < hex.length / 2) return false;
  for (let i = 0; i < hex.length; i += 2) {
    const byte = hex.slice(i, i + 2);
    if (byte !== '??' && bytes[i / 2] !== Number.parseInt(byte, 16)) return false;
  }
  return true;
}
