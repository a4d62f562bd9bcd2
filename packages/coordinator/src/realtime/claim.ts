import { createHash, webcrypto } from 'node:crypto';
import {
  CoppiceError,
  firstIssue,
  HelloSchema,
  OLDEST_SERVED_VERSION,
  PROTOCOL_VERSION,
  parseSafely,
  proofBytes,
} from '@coppice/protocol';

/** Who somebody says it is, and the key that can prove it. */
export interface Claim {
  readonly participant: string;
  /** The protocol version that will be spoken. */
  readonly protocol: number;
  /** The capabilities that it names. */
  readonly features: ReadonlySet<string>;
  readonly key: webcrypto.CryptoKey;
}

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' };

/**
 * Reads a handshake, and chooses the newest version that both sides speak.
 *
 * @throws CoppiceError `identity-invalid`, `protocol-too-old`, `protocol-too-new`.
 */
export async function claimOf(auth: unknown): Promise<Claim> {
  const { protocol, oldest = protocol } = (auth ?? {}) as { protocol?: unknown; oldest?: unknown };
  // The version comes first: an older hello may have another shape.
  if (typeof protocol === 'number' && protocol < OLDEST_SERVED_VERSION) {
    throw new CoppiceError(
      'protocol-too-old',
      `This program speaks version ${protocol} of the protocol; the coordinator needs ${OLDEST_SERVED_VERSION} or newer. Reload the page, or update the program.`,
    );
  }
  if (typeof oldest === 'number' && oldest > PROTOCOL_VERSION) {
    throw new CoppiceError(
      'protocol-too-new',
      `This program speaks version ${oldest} of the protocol or newer; the coordinator knows ${PROTOCOL_VERSION}. Update the coordinator.`,
    );
  }
  const hello = parseSafely(HelloSchema, auth);
  if (!hello.success) {
    throw new CoppiceError(
      'identity-invalid',
      `The participant did not say who it is: ${firstIssue(hello.error)}.`,
    );
  }
  const point = Buffer.from(hello.data.key, 'base64url');
  let key: webcrypto.CryptoKey;
  try {
    key = await webcrypto.subtle.importKey('raw', point, CURVE, false, ['verify']);
  } catch (cause) {
    throw new CoppiceError(
      'identity-invalid',
      'The participant did not say who it is: its key is not an uncompressed point of the curve P-256.',
      { cause },
    );
  }
  return {
    participant: createHash('sha256').update(point).digest('hex').slice(0, 32),
    protocol: Math.min(hello.data.protocol, PROTOCOL_VERSION),
    features: new Set(hello.data.features),
    key,
  };
}

/** Whether the signature was made with the claimed key, for this nonce and one of these hosts. */
export async function proves(
  { key }: Claim,
  signature: string,
  { hosts, nonce }: { hosts: readonly string[]; nonce: string },
): Promise<boolean> {
  const bytes = Buffer.from(signature, 'base64url');
  for (const host of hosts)
    if (await webcrypto.subtle.verify(SIGNATURE, key, bytes, proofBytes(host, nonce))) return true;
  return false;
}
