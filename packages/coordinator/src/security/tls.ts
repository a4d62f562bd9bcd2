import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { CoppiceError } from '@coppice/protocol';

/** A certificate with its chain and its private key, PEM. */
export interface TlsPair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/**
 * Reads the TLS files; `null` where none are configured.
 *
 * @throws CoppiceError `config-invalid` where one of the two is missing, unreadable or no PEM, or the key does not
 *   match the certificate.
 */
export function readTls({
  tlsCert,
  tlsKey,
}: {
  tlsCert: string | null;
  tlsKey: string | null;
}): TlsPair | null {
  if (tlsCert === null && tlsKey === null) return null;
  if (tlsCert === null || tlsKey === null)
    throw new CoppiceError('config-invalid', 'TLS needs both --tls-cert and --tls-key; only one was given.');
  const pair = { cert: read('--tls-cert', tlsCert), key: read('--tls-key', tlsKey) };
  try {
    createSecureContext(pair);
  } catch (cause) {
    throw new CoppiceError(
      'config-invalid',
      `--tls-cert ${tlsCert} and --tls-key ${tlsKey} cannot be used together: ${(cause as Error).message}. They must be a certificate and its own key, both PEM, the key without a passphrase.`,
      { cause },
    );
  }
  return pair;
}

function read(flag: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new CoppiceError('config-invalid', `${flag} ${file} cannot be read: ${(cause as Error).message}.`, {
      cause,
    });
  }
}
