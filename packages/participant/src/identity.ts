import { p256 } from '@noble/curves/nist.js';

/** A participant's identity: a public key, and the means to prove possession of it. */
export interface Identity {
  /** An uncompressed point of P-256, base64url. */
  readonly key: string;
  /** ECDSA with SHA-256, r and s, base64url. */
  sign(bytes: Uint8Array<ArrayBuffer>): Promise<string>;
}

/** An identity whose private key is held by the platform; it need not be extractable. */
export async function cryptoKeyIdentity({ publicKey, privateKey }: CryptoKeyPair): Promise<Identity> {
  return {
    key: base64url(new Uint8Array(await crypto.subtle.exportKey('raw', publicKey))),
    async sign(bytes) {
      const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, privateKey, bytes);
      return base64url(new Uint8Array(signature));
    },
  };
}

/** An identity whose private key is in memory: 32 bytes, as `p256.utils.randomSecretKey` makes them. */
export function secretKeyIdentity(secretKey: Uint8Array): Identity {
  return {
    key: base64url(p256.getPublicKey(secretKey, false)),
    sign: async (bytes) => base64url(p256.sign(bytes, secretKey)),
  };
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');
}
