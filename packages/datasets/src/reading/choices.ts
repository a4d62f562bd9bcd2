/** Separators of cells. A space stands for a run of spaces and tabs. */
export const separators = ['\t', ';', '|', ',', ' '] as const;
export type Separator = (typeof separators)[number];

/** Signs between groups of three digits. A space stands for every kind of space. */
export const thousandsSigns = [',', '.', ' ', "'"] as const;
export type ThousandsSign = (typeof thousandsSigns)[number];

/** The written form of a column's numbers. */
export interface NumberFormat {
  readonly decimal: '.' | ',';
  /** The sign between groups of three digits; a space is one beside any other sign. `null`: digits are not grouped. */
  readonly thousands: ThousandsSign | null;
  /** True where numbers end in a percent sign. Their value is the number as written: 12% is 12. */
  readonly percent: boolean;
}

/** The order of day, month and year in dates. Dates that begin with a year of four digits are `ymd` in every column. */
export type DateOrder = 'ymd' | 'dmy' | 'mdy';

/** What a person decides about the reading of a file. What is left out is guessed. */
export interface ReadingChoices {
  /** A label of the WHATWG encoding standard, such as `gb18030`. */
  readonly encoding?: string;
  readonly separator?: Separator;
  /** The sign around cells that contain separators; `null`: there is none. */
  readonly quote?: '"' | "'" | null;
  readonly decimal?: '.' | ',';
  readonly thousands?: ThousandsSign | null;
  /** True where the first row of the table holds the names of its columns. */
  readonly header?: boolean;
  /** The rows of the file before the table, titles and comments included. */
  readonly titleRows?: number;
  /** The sign that begins lines of comments; `null`: there are none. */
  readonly comment?: '#' | null;
  /** The columns that number or name the rows, by their place from 0. */
  readonly indexColumns?: readonly number[];
  /** Number formats of single columns, by their place from 0. */
  readonly formats?: Readonly<Record<number, Partial<NumberFormat>>>;
  /** The order of dates of single columns, by their place from 0. */
  readonly dates?: Readonly<Record<number, DateOrder>>;
  /** The sheet of a workbook; left out: the first one. */
  readonly sheet?: string;
}

/** How a file was read: everything that was guessed or chosen. */
export interface Reading {
  readonly kind: 'text' | 'xlsx' | 'parquet';
  /** The WHATWG name of the encoding, in lower case; `null` where the file is no text. */
  readonly encoding: string | null;
  readonly separator: Separator | null;
  readonly quote: '"' | "'" | null;
  readonly decimal: '.' | ',';
  readonly thousands: ThousandsSign | null;
  readonly header: boolean;
  readonly titleRows: number;
  readonly comment: '#' | null;
  /** The sheets of a workbook, in its order, and the one that was read. */
  readonly sheets: readonly string[];
  readonly sheet: string | null;
}
