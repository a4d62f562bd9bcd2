import { utf8ToBytes } from '@noble/hashes/utils.js';

/**
 * The bytes that a participant signs, with ECDSA over P-256 and SHA-256, to prove that a key is its own. The host is
 * part of them, so that a coordinator cannot relay another's challenge. Neither host nor nonce can contain a line
 * break, so the parts are unambiguous.
 *
 * @param host host and port, as in the `Host` header of the connection: lower case, no default port.
 * @param nonce the challenge's, 64 hexadecimal digits.
 */
export function proofBytes(host: string, nonce: string): Uint8Array<ArrayBuffer> {
  return utf8ToBytes(`coppice participant proof\n${host}\n${nonce}`) as Uint8Array<ArrayBuffer>;
}
