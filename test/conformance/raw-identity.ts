import { createECDH, createHash, createPrivateKey, sign } from 'node:crypto';

/** Keys by the page's section "Identity", with the platform's own cryptography. */
export interface Keys {
  /** The public key for the handshake. */
  readonly key: string;
  readonly id: string;
  prove(host: string, nonce: string): string;
}

/** Derives keys from a name. */
export function keysOf(name: string): Keys {
  return keysFrom(createHash('sha256').update(name).digest());
}

/** The keys of a private key of 32 bytes. */
export function keysFrom(secret: Buffer): Keys {
  const curve = createECDH('prime256v1');
  curve.setPrivateKey(secret);
  const point = curve.getPublicKey();
  const text = (bytes: Buffer) => bytes.toString('base64url');
  const key = createPrivateKey({
    format: 'jwk',
    key: {
      kty: 'EC',
      crv: 'P-256',
      x: text(point.subarray(1, 33)),
      y: text(point.subarray(33)),
      d: text(secret),
    },
  });
  return {
    key: text(point),
    id: createHash('sha256').update(point).digest('hex').slice(0, 32),
    prove: (host, nonce) =>
      text(
        sign('sha256', Buffer.from(`coppice participant proof\n${host}\n${nonce}`), {
          key,
          dsaEncoding: 'ieee-p1363',
        }),
      ),
  };
}
