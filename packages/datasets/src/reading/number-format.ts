import type { NumberFormat, ThousandsSign } from './choices.ts';

/** Powers of ten that a double holds exactly. */
const TENS = Array.from({ length: 23 }, (_, power) => 10 ** power);
/** Digits that a double holds exactly, whatever they are. */
const EXACT_DIGITS = 15;

export const PLAIN: NumberFormat = { decimal: '.', thousands: null, percent: false };

/** Cells that stand for no value in columns of numbers, as the readers of R, pandas and Excel take them. */
const MISSING: ReadonlySet<string> = new Set(
  ['na', 'n/a', '#n/a', 'nan', '-nan', 'null', '<na>', 'none', '?', '-', '--', '.', '…', '—', '–'].map(
    (text) => text,
  ),
);

/** Checks that a cell stands for no value where a number is wanted. */
export function standsForNothing(text: string): boolean {
  return text === '' || (text.length <= 5 && MISSING.has(text.toLowerCase()));
}

/**
 * Reads a plain number from `start` to `end`: a sign, digits, the decimal sign, a power of ten. Up to 15 digits without a power
 * are read here, exactly: both the digits and the power of ten are doubles, and one division rounds. `Number` reads the others.
 *
 * @returns NaN for any other text, also for numbers that `readNumberText` reads, and for whole numbers of more than 15 digits.
 */
export function readPlainNumber(text: string, start: number, end: number, decimal: number): number {
  let at = start;
  const sign = text.charCodeAt(at);
  if (sign === 45 || sign === 43) at++;
  const first = at;
  let digits = 0;
  let point = -1;
  for (; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code >= 48 && code <= 57) digits = digits * 10 + (code - 48);
    else if (code === decimal && point < 0) point = at;
    else if ((code === 101 || code === 69) && at > first) return readByEngine(text, start, end, point);
    else return Number.NaN;
  }
  const written = end - first - (point < 0 ? 0 : 1);
  if (written === 0 || (point < 0 && written > EXACT_DIGITS)) return Number.NaN;
  if (written > EXACT_DIGITS) return readByEngine(text, start, end, point);
  const value = point < 0 ? digits : digits / (TENS[end - point - 1] as number);
  return sign === 45 ? -value : value;
}

/** @returns NaN where the text is none, or beyond the largest double. */
function readByEngine(text: string, start: number, end: number, point: number): number {
  const written = text.slice(start, end);
  const value = Number(point < 0 ? written : `${text.slice(start, point)}.${text.slice(point + 1, end)}`);
  return Number.isFinite(value) ? value : Number.NaN;
}

const CURRENCY =
  /^(?:[$€£¥￥₹₽₩]|R\$|US\$|CHF|EUR|USD|GBP|CNY|RMB)\s*|\s*(?:[$€£¥￥₹₽₩元]|kr|zł|CHF|EUR|USD|GBP|CNY|RMB)$/giu;
const SPACES = /[\s\u00a0\u2007\u2009\u202f]/gu;

/**
 * Reads a number in a column's format: with a power of ten, grouped digits, a sign of currency, full-width digits or a
 * typographic minus.
 *
 * @returns NaN where the text is none.
 */
export function readNumberText(text: string, format: NumberFormat): number {
  if (text.length > 400) return Number.NaN;
  let written = text.normalize('NFKC').replace(/^[−–]/u, '-').trim();
  const negative = /^-\s*(?=\D)/u.test(written);
  if (negative) written = written.replace(/^-\s*/u, '');
  written = written.replace(CURRENCY, '');
  if (negative && /^[+-]/u.test(written)) return Number.NaN;
  if (format.percent && written.endsWith('%')) written = written.slice(0, -1).trimEnd();
  const { decimal, thousands } = format;
  const mark = written.search(decimal === '.' ? /[.eE]/u : /[,eE]/u);
  const whole = mark < 0 ? written : written.slice(0, mark);
  const rest = mark < 0 ? '' : written.slice(mark);
  const plainWhole = thousands === null ? whole : ungrouped(whole, thousands);
  if (plainWhole === null) return Number.NaN;
  const plain = `${plainWhole}${decimal === ',' ? rest.replace(',', '.') : rest}`;
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/iu.test(plain)) return Number.NaN;
  const value = Number(plain);
  if (!Number.isFinite(value)) return Number.NaN;
  return negative ? -value : value;
}

/** Takes the signs between groups of three digits out; `null` where groups are of another size or their signs differ. */
function ungrouped(whole: string, thousands: ThousandsSign): string | null {
  const even = whole.replace(SPACES, ' ').replace(/[’]/gu, "'");
  if (/^[+-]?\d*$/u.test(even)) return even;
  const found = /^[+-]?\d{1,3}(?:([,. '])\d{3})(?:\1\d{3})*$/u.exec(even);
  if (found === null || (found[1] !== thousands && found[1] !== ' ')) return null;
  return even.replace(/[,. ']/gu, '');
}

/** False for texts that are no number in any format: without a digit, long, or with more letters than a currency has. */
export function mayBeNumber(text: string): boolean {
  if (text.length > 60) return false;
  let letters = 0;
  let digits = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if ((code >= 48 && code <= 57) || (code >= 0xff10 && code <= 0xff19)) digits++;
    else if ((code >= 65 && code <= 90) || (code >= 97 && code <= 122)) letters++;
  }
  return digits > 0 && letters <= 4;
}

/** Reads a cell's text as a number in a format. @returns NaN where it is none. */
export function readNumber(text: string, format: NumberFormat): number {
  const plain = readPlainNumber(text, 0, text.length, format.decimal.charCodeAt(0));
  return Number.isNaN(plain) && mayBeNumber(text) ? readNumberText(text, format) : plain;
}

/** Signs that a cell gives of its file's number format. Each is counted once a cell. */
export interface FormatSigns {
  /** Commas, and points, that can only stand before decimals. */
  commaDecimals: number;
  pointDecimals: number;
  /** Three digits behind one comma, or one point: decimals, or a group. */
  commaOrGroup: number;
  pointOrGroup: number;
  /** Signs that can only stand between groups. */
  commaGroups: number;
  pointGroups: number;
  spaceGroups: number;
  quoteGroups: number;
  percents: number;
  /** Cells that are numbers in some format. */
  numbers: number;
}

export function noSigns(): FormatSigns {
  return {
    commaDecimals: 0,
    pointDecimals: 0,
    commaOrGroup: 0,
    pointOrGroup: 0,
    commaGroups: 0,
    pointGroups: 0,
    spaceGroups: 0,
    quoteGroups: 0,
    percents: 0,
    numbers: 0,
  };
}

const SHAPE = /^[+-]?([\d.,' ]*\d[\d.,' ]*)(?:e[+-]?\d+)?\s*(%?)$/iu;

/** Counts the signs that a cell gives, `weight` times. */
export function countSigns(cell: string, signs: FormatSigns, weight = 1): void {
  if (cell.length > 60 || !/\d/u.test(cell)) return;
  // These currencies are written with points before decimals.
  const pointed = /^[-−]?\s*(?:US)?[$£¥￥]/u.test(cell);
  const plain = cell
    .normalize('NFKC')
    .replace(/^[−–]/u, '-')
    .trim()
    .replace(CURRENCY, '')
    .replace(SPACES, ' ')
    .replace(/’/gu, "'");
  const shape = SHAPE.exec(plain);
  if (shape === null) return;
  const body = (shape[1] as string).trim();
  if (/^\d+$/u.test(body)) signs.numbers += weight;
  else if (/^\d{1,3}(?: \d{3})+(?:[.,]\d*)?$/u.test(body)) {
    signs.numbers += weight;
    signs.spaceGroups += weight;
    if (body.includes(',')) signs.commaDecimals += weight;
    if (body.includes('.')) signs.pointDecimals += weight;
  } else if (/^\d{1,3}(?:'\d{3})+(?:[.,]\d*)?$/u.test(body)) {
    signs.numbers += weight;
    signs.quoteGroups += weight;
    if (body.includes(',')) signs.commaDecimals += weight;
    if (body.includes('.')) signs.pointDecimals += weight;
  } else if (/^\d{1,3}(?:,\d{3})+\.\d*$/u.test(body) || /^\d{1,3}(?:,\d{3}){2,}$/u.test(body)) {
    signs.numbers += weight;
    signs.commaGroups += weight;
    if (body.includes('.')) signs.pointDecimals += weight;
  } else if (/^\d{1,3}(?:\.\d{3})+,\d*$/u.test(body) || /^\d{1,3}(?:\.\d{3}){2,}$/u.test(body)) {
    signs.numbers += weight;
    signs.pointGroups += weight;
    if (body.includes(',')) signs.commaDecimals += weight;
  } else if (/^[1-9]\d{0,2},\d{3}$/u.test(body)) {
    signs.numbers += weight;
    if (pointed) signs.commaGroups += weight;
    else signs.commaOrGroup += weight;
  } else if (/^[1-9]\d{0,2}\.\d{3}$/u.test(body)) {
    signs.numbers += weight;
    signs.pointOrGroup += weight;
  } else if (/^\d*,\d+$|^\d+,$/u.test(body)) {
    signs.numbers += weight;
    signs.commaDecimals += weight;
  } else if (/^\d*\.\d+$|^\d+\.$/u.test(body)) {
    signs.numbers += weight;
    signs.pointDecimals += weight;
  } else return;
  if (shape[2] === '%') signs.percents += weight;
}

/**
 * The decimal sign that the signs of a whole file speak for.
 *
 * @param commaSeparates True where commas separate cells: a comma inside a cell then had to be quoted.
 */
export function decimalOf(signs: FormatSigns, commaSeparates: boolean): '.' | ',' {
  const { commaDecimals, pointDecimals, commaOrGroup, pointOrGroup, commaGroups, pointGroups } = signs;
  if (commaDecimals !== pointDecimals) return commaDecimals > pointDecimals ? ',' : '.';
  if (commaGroups !== pointGroups) return pointGroups > commaGroups ? ',' : '.';
  return !commaSeparates && commaOrGroup > pointOrGroup ? ',' : '.';
}

/** The format that the signs of one column speak for, where the file's decimal sign decides what they leave open. */
export function formatOf(signs: FormatSigns, fileDecimal: '.' | ','): NumberFormat {
  const { commaDecimals, pointDecimals, commaOrGroup, pointOrGroup, commaGroups, pointGroups } = signs;
  let decimal = fileDecimal;
  if (commaDecimals + pointGroups > pointDecimals + commaGroups) decimal = ',';
  else if (pointDecimals + commaGroups > commaDecimals + pointGroups) decimal = '.';
  // Only ambiguous points in a file of decimal commas: groups; the other way round likewise.
  const other = decimal === '.' ? ',' : '.';
  const groups = decimal === '.' ? commaGroups + commaOrGroup : pointGroups + pointOrGroup;
  let thousands: ThousandsSign | null = groups > 0 ? other : null;
  if (thousands === null && signs.quoteGroups > 0) thousands = "'";
  if (thousands === null && signs.spaceGroups > 0) thousands = ' ';
  return { decimal, thousands, percent: signs.percents > 0 && signs.percents * 10 >= signs.numbers * 9 };
}
