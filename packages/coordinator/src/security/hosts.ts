import { isIP } from 'node:net';

/** Endings of names that only a local network gives out. */
const LOCAL = /\.(local|localhost|internal|lan|home\.arpa|test)$/;

/**
 * Whether a plain-HTTP request's `Host` can be this coordinator's. Somebody else's page can let its own name
 * point at this machine (DNS rebinding) and then counts as ours by its origin; but not under an address, a
 * name without a dot or one of a local network, which nobody can hand out on the Internet. Other names
 * are known by the public address. Over TLS the certificate answers this question.
 *
 * @param publicUrl the coordinator's address as browsers know it, where it was told.
 */
export function hostKnown(host: string | undefined, publicUrl: string | null): boolean {
  // No browser leaves it out.
  if (host === undefined) return true;
  if (!URL.canParse(`http://${host}`)) return false;
  const { hostname } = new URL(`http://${host}`);
  const name = hostname.replace(/\.$/, '');
  if (isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0) return true;
  if (!name.includes('.') || LOCAL.test(name)) return true;
  return publicUrl !== null && new URL(publicUrl).hostname === hostname;
}
