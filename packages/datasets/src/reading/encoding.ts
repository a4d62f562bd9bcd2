import { CoppiceError } from '@coppice/protocol';

/** What the bytes of a file say about its encoding. */
export interface EncodingEvidence {
  /** The encoding that a byte order mark names. */
  readonly mark: 'utf-8' | 'utf-16le' | 'utf-16be' | null;
  /** Bytes from the file's beginning. */
  readonly beginning: Uint8Array;
  /** True where the whole file is valid UTF-8. */
  readonly validUtf8: boolean;
  /** Lines with bytes above 127, some of the whole file. */
  readonly foreign: Uint8Array;
}

/** The most bytes of lines that a guess looks at. */
const FOREIGN = 64 * 1024;

/** Gathers evidence from the chunks of a file, one after another. */
export class EncodingWitness {
  #first: Uint8Array | null = null;
  #utf8: TextDecoder | null = new TextDecoder('utf-8', { fatal: true });
  readonly #foreign = new Uint8Array(FOREIGN);
  #filled = 0;

  /** @param last True for the last chunk. Lines that lie in two chunks are no evidence. */
  add(chunk: Uint8Array, last: boolean): void {
    let at = 0;
    if (this.#first === null) this.#first = chunk.slice(0, 4096);
    else while (at < chunk.length && !isLineEnd(chunk[at])) at++;
    try {
      this.#utf8?.decode(chunk, { stream: true });
    } catch {
      this.#utf8 = null;
    }
    while (this.#filled < FOREIGN) {
      while (at < chunk.length && (chunk[at] as number) < 128) at++;
      if (at >= chunk.length) break;
      // From the separator or line end before it, so that no pair is cut.
      let start = at;
      while (start > 0 && !isBorder(chunk[start - 1])) start--;
      let end = at;
      while (end < chunk.length && !isLineEnd(chunk[end])) end++;
      if (end === chunk.length && !last) break;
      const part = chunk.subarray(start, Math.min(end, start + FOREIGN - this.#filled));
      this.#foreign.set(part, this.#filled);
      this.#filled += part.length;
      if (this.#filled < FOREIGN) this.#foreign[this.#filled++] = 10;
      at = end;
    }
  }

  evidence(): EncodingEvidence {
    const beginning = this.#first ?? new Uint8Array();
    let validUtf8 = this.#utf8 !== null;
    try {
      this.#utf8?.decode();
    } catch {
      validUtf8 = false;
    }
    return {
      mark: markOf(beginning),
      beginning,
      validUtf8,
      foreign: this.#foreign.subarray(0, this.#filled),
    };
  }
}

function isLineEnd(byte: number | undefined): boolean {
  return byte === 10 || byte === 13;
}

/** Separators and marks that are no second byte of any pair. */
function isBorder(byte: number | undefined): boolean {
  return isLineEnd(byte) || byte === 44 || byte === 59 || byte === 9 || byte === 34;
}

function markOf(bytes: Uint8Array): EncodingEvidence['mark'] {
  const [a, b, c] = bytes;
  if (a === 0xef && b === 0xbb && c === 0xbf) return 'utf-8';
  if (a === 0xff && b === 0xfe) return 'utf-16le';
  if (a === 0xfe && b === 0xff) return 'utf-16be';
  return null;
}

/**
 * The encoding of a file by its WHATWG name: that of its byte order mark; UTF-16 where every other byte is zero; UTF-8 where
 * all bytes are valid; else the most plausible by script of GB18030, Big5 and windows-1252.
 */
export function guessEncoding({ mark, beginning, validUtf8, foreign }: EncodingEvidence): string {
  if (mark !== null) return mark;
  const wide = zeroBytes(beginning);
  if (wide !== null) return wide;
  if (validUtf8) return 'utf-8';
  if (isSimplifiedChinese(foreign)) return 'gb18030';
  return isTraditionalChinese(foreign) ? 'big5' : 'windows-1252';
}

/** UTF-16 without a mark: in most pairs of bytes one is zero, always the same. */
function zeroBytes(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | null {
  let even = 0;
  let odd = 0;
  for (const [at, byte] of bytes.entries()) {
    if (byte !== 0) continue;
    if (at % 2 === 0) even++;
    else odd++;
  }
  const most = bytes.length / 2;
  if (odd > 0.4 * most && even < 0.02 * most) return 'utf-16le';
  return even > 0.4 * most && odd < 0.02 * most ? 'utf-16be' : null;
}

interface Pairs {
  all: number;
  common: number;
  highTrails: number;
  readonly different: Set<number>;
}

/**
 * Counts the pairs of bytes of a Chinese encoding. A pair between two ASCII letters is never common: so stand the accented
 * letters of windows-1252, while Chinese characters stand together.
 */
function countPairs(bytes: Uint8Array, isCommon: (lead: number, trail: number) => boolean): Pairs {
  const pairs: Pairs = { all: 0, common: 0, highTrails: 0, different: new Set() };
  for (let at = 0; at < bytes.length; at++) {
    const lead = bytes[at] as number;
    if (lead < 128) continue;
    const trail = bytes[at + 1] ?? 0;
    pairs.all++;
    const lettered = isLetter(bytes[at - 1]) && (isLetter(bytes[at + 2]) || isLetter(trail));
    if (!lettered && isCommon(lead, trail)) {
      pairs.common++;
      pairs.different.add(lead * 256 + trail);
      if (trail >= 0xa1) pairs.highTrails++;
    }
    at++;
  }
  return pairs;
}

function isLetter(byte: number | undefined): boolean {
  return byte !== undefined && ((byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122));
}

/** By the rows of GB 2312: its first level, ordered by sound, has all but the rare characters; before it are signs. */
function isSimplifiedChinese(foreign: Uint8Array): boolean {
  if (!decodes('gb18030', foreign)) return false;
  const { all, common } = countPairs(
    foreign,
    (lead, trail) => trail >= 0xa1 && ((lead >= 0xb0 && lead <= 0xd7) || (lead >= 0xa1 && lead <= 0xa3)),
  );
  return common >= 0.6 * all;
}

/** By the frequent characters of Big5, its rows A4–C6, with second bytes of both of its ranges. */
function isTraditionalChinese(foreign: Uint8Array): boolean {
  if (!decodes('big5', foreign)) return false;
  const { all, common, highTrails, different } = countPairs(
    foreign,
    (lead, trail) => lead >= 0xa4 && lead <= 0xc6 && ((trail >= 0x40 && trail <= 0x7e) || trail >= 0xa1),
  );
  return common >= 0.7 * all && different.size >= 3 && highTrails > 0;
}

function decodes(encoding: string, bytes: Uint8Array): boolean {
  try {
    new TextDecoder(encoding, { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** A decoder for a label of the WHATWG standard. @throws CoppiceError `data-invalid` where there is none. */
export function decoderFor(label: string): TextDecoder {
  try {
    return new TextDecoder(label);
  } catch (cause) {
    throw new CoppiceError(
      'data-invalid',
      `There is no encoding "${label.slice(0, 40)}". Choose one such as utf-8, gb18030 or windows-1252.`,
      { cause },
    );
  }
}
