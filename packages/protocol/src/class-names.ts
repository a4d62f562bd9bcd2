/**
 * Returns a function that finds the class named by a label. Make it once for a task; each call is a few look-ups.
 *
 * A label is compared with the class names first by its characters, then by value where both are decimal numbers, then
 * ignoring case. Surrounding white space and the Unicode form (NFC or NFD) make no difference. A label that is no name
 * is never read as a class index.
 *
 * @param classes The task's class names, in the order of the model's outputs.
 * @returns The index of the class, from 0; `null` where no class has the name, or more than one has.
 *
 * @example
 * const find = classFinder(['1', '2', 'oak']);
 * find('1.0'); // 0
 * find('Oak'); // 2
 * find('0'); // null
 */
export function classFinder(classes: readonly string[]): (label: string) => number | null {
  const levels = [plainText, classKey, withoutCase].map((keyOf) => ({
    keyOf,
    found: indexBy(classes, keyOf),
  }));
  return (label) => {
    for (const { keyOf, found } of levels) {
      const index = found.get(keyOf(label));
      if (index !== undefined) return index;
    }
    return null;
  };
}

/**
 * Finds the first two names of the same class: equal but for surrounding white space and Unicode form, or equal as
 * decimal numbers. Names that differ only by case are different classes.
 *
 * @returns Their indices in `classes`, the smaller first; `null` where all classes differ.
 */
export function sameClass(classes: readonly string[]): readonly [number, number] | null {
  const seen = new Map<string, number>();
  for (const [index, name] of classes.entries()) {
    const key = classKey(name);
    const earlier = seen.get(key);
    if (earlier !== undefined) return [earlier, index];
    seen.set(key, index);
  }
  return null;
}

/**
 * Finds the first two names that are not the same and easily taken for each other: equal but for case, white space and
 * Unicode compatibility form (full-width letters, ligatures).
 *
 * @returns Their indices in `classes`, the smaller first; `null` where there are none.
 */
export function confusable(classes: readonly string[]): readonly [number, number] | null {
  const seen = new Map<string, number>();
  for (const [index, name] of classes.entries()) {
    const key = name.normalize('NFKC').toLowerCase().replaceAll(/\s+/gu, '');
    const earlier = seen.get(key);
    if (earlier !== undefined) return [earlier, index];
    seen.set(key, index);
  }
  return null;
}

/** The index of each key's class; `null` for a key that several classes share. */
function indexBy(
  classes: readonly string[],
  keyOf: (name: string) => string,
): ReadonlyMap<string, number | null> {
  const found = new Map<string, number | null>();
  for (const [index, name] of classes.entries()) {
    const key = keyOf(name);
    found.set(key, found.has(key) ? null : index);
  }
  return found;
}

/** A name in the form in which names are compared: NFC, without white space around it. */
export function plainText(name: string): string {
  return name.normalize('NFC').trim();
}

/** The key that equal class names share. Its first character separates texts from numbers. */
function classKey(name: string): string {
  const text = plainText(name);
  const number = decimal(text);
  return number === null ? `"${text}` : `=${number}`;
}

function withoutCase(name: string): string {
  return classKey(name.toLowerCase());
}

/** A sign, digits with or without a point, and a power of ten of up to six digits: no hexadecimal, no `Infinity`. */
const DECIMAL = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d{1,6}))?$/i;

/** The canonical form of a decimal number of any length, `null` for any other text. Doubles would make long identifiers equal. */
function decimal(text: string): string | null {
  const [, sign, whole = '', fraction = '', power = '0'] = DECIMAL.exec(text) ?? [];
  const written = whole + fraction;
  if (written === '') return null;
  const significant = written.replace(/^0+/, '');
  if (significant === '') return '0';
  const digits = significant.replace(/0+$/, '');
  const exponent = Number(power) - fraction.length + (significant.length - digits.length);
  return `${sign === '-' ? '-' : ''}${digits}e${exponent}`;
}
