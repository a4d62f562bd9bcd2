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

/** The identity that a connection claims, with its public key. */
export interface Claim {
  readonly participant: string;
  /** The negotiated protocol version. */
  readonly protocol: number;
  /** The declared capabilities. */
  readonly features: ReadonlySet<string>;
  readonly key: webcrypto.CryptoKey;
}

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' };

/**
 * Reads a handshake, and negotiates the newest version that both sides speak.
 *
 * @throws CoppiceError `identity-invalid`, `protocol-too-old`, `protocol-too-new`.
 */
export async function claimOf(auth: unknown): Promise<Claim> {
  // The version comes first: the hello of another one may have another shape.
  const protocol = chosenVersion(auth);
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
    protocol: protocol ?? PROTOCOL_VERSION,
    features: new Set(hello.data.features),
    key,
  };
}

/**
 * Chooses the newest version that both sides speak.
 *
 * @returns `null` where the versions in the hello are no whole numbers.
 * @throws CoppiceError `protocol-too-old`, `protocol-too-new` where there is none.
 */
function chosenVersion(auth: unknown): number | null {
  const { protocol: newest, oldest = newest } = (auth ?? {}) as { protocol?: unknown; oldest?: unknown };
  if (!isVersion(newest) || !isVersion(oldest)) return null;
  if (newest < OLDEST_SERVED_VERSION)
    throw new CoppiceError(
      'protocol-too-old',
      `This participant speaks version ${newest} of the protocol, and this coordinator needs version ${OLDEST_SERVED_VERSION} or newer. Reload the page, or update the program.`,
    );
  if (oldest > PROTOCOL_VERSION)
    throw new CoppiceError(
      'protocol-too-new',
      `This participant needs version ${oldest} of the protocol, and this coordinator speaks up to version ${PROTOCOL_VERSION}. Update the coordinator.`,
    );
  return Math.min(newest, PROTOCOL_VERSION);
}

function isVersion(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1;
}

/** Verifies a signature with the claimed key, for this nonce and one of these hosts. */
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
