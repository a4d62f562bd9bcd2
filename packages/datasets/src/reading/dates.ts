import type { DateOrder } from './choices.ts';

const DAY = 86_400_000;

const TIME = String.raw`(?:[T\s]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?)?`;
const YEAR_FIRST = new RegExp(String.raw`^(\d{4})([-/.])(\d{1,2})\2(\d{1,2})${TIME}$`, 'iu');
/** 2024年3月5日: the signs for year, month and, where it is written, day. */
const CHINESE = new RegExp(String.raw`^(\d{4})(\u5e74)(\d{1,2})\u6708(\d{1,2})\u65e5?${TIME}$`, 'iu');
const YEAR_LAST = new RegExp(String.raw`^(\d{1,2})([-/.])(\d{1,2})\2(\d{4})${TIME}$`, 'iu');

/** A date as read: milliseconds since 1970 in UTC, and whether it has a time of day. */
export interface ReadDate {
  readonly milliseconds: number;
  readonly timed: boolean;
}

/**
 * Reads a date, with or without a time of day: 2024-03-05, 2024/3/5, 2024年3月5日, 5.3.2024, 3/5/2024. A time without a zone is
 * taken as UTC.
 *
 * @returns `null` where the text is none, and for days that no calendar has.
 */
export function readDate(text: string, order: DateOrder): ReadDate | null {
  if (text.length < 8 || text.length > 40) return null;
  const first = YEAR_FIRST.exec(text) ?? CHINESE.exec(text);
  const last = first === null ? YEAR_LAST.exec(text) : null;
  const found = first ?? last;
  if (found === null) return null;
  const [, a, , b, c, hours, minutes, seconds = '0', fraction = '', zone] = found;
  const numbers = [a, b, c].map(Number) as [number, number, number];
  const [year, month, day] =
    first !== null
      ? numbers
      : order === 'mdy'
        ? [numbers[2], numbers[0], numbers[1]]
        : [numbers[2], numbers[1], numbers[0]];
  const date = Date.UTC(year, month - 1, day);
  const check = new Date(date);
  if (month < 1 || month > 12 || check.getUTCMonth() !== month - 1 || check.getUTCDate() !== day) return null;
  if (hours === undefined) return { milliseconds: date, timed: false };
  if (Number(hours) > 24 || Number(minutes) > 59 || Number(seconds) > 60) return null;
  const time =
    (Number(hours) * 60 + Number(minutes)) * 60_000 + Number(`${seconds}.${fraction || '0'}`) * 1000;
  return { milliseconds: date + time - offsetOf(zone), timed: true };
}

function offsetOf(zone: string | undefined): number {
  const found = /^([+-])(\d{2}):?(\d{2})$/u.exec(zone ?? '');
  if (found === null) return 0;
  const minutes = Number(found[2]) * 60 + Number(found[3]);
  return (found[1] === '-' ? -minutes : minutes) * 60_000;
}

/** The order of day and month that fits all dates of a column; where both do, `fallback`. */
export function dateOrderOf(texts: Iterable<string>, fallback: 'dmy' | 'mdy'): DateOrder {
  let yearLast = false;
  for (const text of texts) {
    const found = YEAR_LAST.exec(text);
    if (found === null) continue;
    yearLast = true;
    if (found[2] === '.') return 'dmy';
    if (Number(found[1]) > 12) return 'dmy';
    if (Number(found[3]) > 12) return 'mdy';
  }
  return yearLast ? fallback : 'ymd';
}

/** The number that a date fills a column of numbers with: seconds since 1970 where `timed`, else days. */
export function numberOfDate({ milliseconds }: ReadDate, timed: boolean): number {
  return timed ? milliseconds / 1000 : Math.floor(milliseconds / DAY);
}

const BOOLEANS: ReadonlySet<string> = new Set(
  [
    'true',
    'false',
    'yes',
    'no',
    'y',
    'n',
    't',
    'f',
    '是',
    '否',
    '真',
    '假',
    'ja',
    'nein',
    'oui',
    'non',
    'sí',
    'si',
  ].map((word) => word),
);

/** Checks that a text is one of the words for true and false. */
export function isBoolean(text: string): boolean {
  return text.length <= 5 && BOOLEANS.has(text.toLowerCase());
}
