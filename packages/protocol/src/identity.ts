import { utf8ToBytes } from '@noble/hashes/utils.js';

/**
 * What a participant signs to prove that a key is its own: these bytes, with ECDSA over P-256 and SHA-256.
 * The host is in them so that a coordinator cannot pass on to another the challenge that it was given
 * itself; neither host nor nonce can hold a line break, so the parts cannot run into each other.
 *
 * @param host host and port, as in the `Host` header of the connection: lower case, no default port.
 * @param nonce the challenge's, 64 hexadecimal digits.
 */
export function proofBytes(host: string, nonce: string): Uint8Array<ArrayBuffer> {
  return utf8ToBytes(`coppice participant proof\n${host}\n${nonce}`) as Uint8Array<ArrayBuffer>;
}
