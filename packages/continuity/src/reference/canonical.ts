import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

/**
 * JSON with one form for one value: names sorted by UTF-16 code units, no white space, numbers as ECMAScript prints them
 * (RFC 8785). Members that are `undefined` are left out.
 */
export function canonicalJson(value: unknown): string {
  // An engine writes thousands of numbers at once much faster than one by one, in the same form.
  if (Array.isArray(value) && value.every((one) => typeof one === 'number')) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

/** SHA-256 of a value's canonical JSON, in lower-case hexadecimal digits. */
export function canonicalHash(value: unknown): string {
  return bytesToHex(sha256(utf8ToBytes(canonicalJson(value))));
}
