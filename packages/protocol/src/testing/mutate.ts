/*
 * Mutations of valid messages. All randomness comes from the caller, so that a case can be reproduced; nothing
 * here depends on the content.
 */

/** Draws a whole number from 0 to below `below`. */
export type Draw = (below: number) => number;

/** Reproducible draws from a seed (mulberry32). */
export function drawsOf(seed: number): Draw {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

function pick<T>(from: readonly T[], draw: Draw): T {
  return from[draw(from.length)] as T;
}

const bits = [0, 1, 0x7f, 0x80, 0xff];

/** Changed bytes, always a copy: flipped, overwritten, cut, lengthened, repeated, moved. */
export function mutateBytes(bytes: Uint8Array, draw: Draw): Uint8Array<ArrayBuffer> {
  // Not `slice`, which of a Buffer is no copy.
  const copy = new Uint8Array(bytes);
  const at = draw(copy.length + 1);
  const length = 1 + draw(16);
  const noise = Uint8Array.from({ length }, () => draw(256));
  switch (draw(8)) {
    case 0:
      if (copy.length > 0) copy[at % copy.length] = (copy[at % copy.length] as number) ^ (1 << draw(8));
      return copy;
    case 1:
      if (copy.length > 0) copy[at % copy.length] = pick(bits, draw);
      return copy;
    case 2:
      return copy.slice(0, at);
    case 3:
      return joined(copy, noise);
    case 4:
      return joined(copy.subarray(0, at), noise, copy.subarray(at));
    case 5:
      return joined(copy.subarray(0, at), copy.subarray(at + length));
    case 6:
      return joined(copy, copy.subarray(0, at));
    default: {
      // A length or a count, perhaps: a number that is huge, or negative where it is read as signed.
      const view = new DataView(copy.buffer);
      if (copy.length >= 4)
        view.setUint32(
          draw(copy.length - 3),
          pick([0, 1, 0x7fffffff, 0x80000000, 0xffffffff], draw),
          draw(2) === 0,
        );
      return copy;
    }
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

const longKey = 'key'.repeat(2000);
const keys = ['__proto__', 'constructor', 'prototype', 'toString', 'toJSON', 'length', 'then', '', longKey];
const texts = [
  '\0',
  '\ud800',
  '\udfff\ud800',
  '\u202e',
  '\n\r',
  '%00',
  '../../../etc/passwd',
  "';--",
  '{{}}',
];
const numbers = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  -0,
  0,
  -1,
  0.5,
  2 ** 31,
  2 ** 32,
  Number.MAX_SAFE_INTEGER,
  2 ** 53,
  -(2 ** 63),
  Number.MAX_VALUE,
  Number.MIN_VALUE,
];

/** A hostile value. */
function hostile(draw: Draw): unknown {
  switch (draw(9)) {
    case 0:
      return pick(numbers, draw);
    case 1:
      return pick(texts, draw);
    case 2:
      return pick([null, undefined, true, false], draw);
    case 3:
      return pick<() => unknown>([() => [], () => ({}), () => new Uint8Array(0)], draw)();
    case 4:
      return Array.from({ length: draw(2000) }, () => draw(10));
    case 5:
      return 'x'.repeat(draw(20_000));
    case 6: {
      let nest: unknown = pick(numbers, draw);
      const depth = draw(1000);
      const list = draw(2) === 0;
      for (let i = 0; i < depth; i++) nest = list ? [nest] : { a: nest };
      return nest;
    }
    case 7:
      return objectOf([[pick(keys, draw), hostile(draw)]]);
    default:
      return Uint8Array.from({ length: draw(64) }, () => draw(256));
  }
}

/** Builds an object from entries. Unlike an assignment it also sets a key `__proto__`, as `JSON.parse` does. */
function objectOf(entries: readonly (readonly [string, unknown])[]): object {
  return Object.fromEntries(entries);
}

/** Changes one place of a value, always in a copy: a field removed, added, or of another type or size. */
export function mutateValue(value: unknown, draw: Draw): unknown {
  if (value instanceof Uint8Array) return draw(4) === 0 ? hostile(draw) : mutateBytes(value, draw);
  if (Array.isArray(value)) return mutateList(value, draw);
  if (typeof value === 'object' && value !== null) return mutateObject(value, draw);
  if (typeof value === 'number' && draw(3) > 0)
    return pick([value + 1, value - 1, -value, value * 2 ** 40, value / 3, `${value}`], draw);
  if (typeof value === 'string' && draw(3) > 0) {
    const at = draw(value.length + 1);
    return pick<() => string>(
      [
        () => value.slice(0, at),
        () => value + value,
        () => value.slice(0, at) + pick(texts, draw) + value.slice(at),
        () => value.toUpperCase(),
        () => value.slice(0, at) + String.fromCharCode(draw(0x10000)) + value.slice(at + 1),
      ],
      draw,
    )();
  }
  return hostile(draw);
}

function mutateList(list: readonly unknown[], draw: Draw): unknown {
  const at = draw(list.length);
  const kind = draw(10);
  if (kind === 0) return hostile(draw);
  if (kind === 1) return [...list, hostile(draw)];
  if (kind === 2) return list.toSpliced(at, 1);
  if (kind === 3) return [...list, ...list];
  if (kind === 4) return list.toReversed();
  return list.length === 0 ? hostile(draw) : list.with(at, mutateValue(list[at], draw));
}

function mutateObject(object: object, draw: Draw): unknown {
  const entries = Object.entries(object);
  const at = draw(entries.length);
  const kind = draw(12);
  if (kind === 0) return hostile(draw);
  if (kind === 1) return objectOf([...entries, [pick([...keys, 'extra'], draw), hostile(draw)]]);
  if (kind === 2) return objectOf(entries.toSpliced(at, 1));
  if (kind === 3) return Object.values(object);
  const entry = entries[at];
  if (entry === undefined) return hostile(draw);
  return objectOf(entries.with(at, [entry[0], mutateValue(entry[1], draw)]));
}
