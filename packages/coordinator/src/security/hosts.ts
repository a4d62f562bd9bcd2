import { isIP } from 'node:net';

/** Suffixes of names that only a local network assigns. */
const LOCAL = /\.(local|localhost|internal|lan|home\.arpa|test)$/;

/**
 * Checks that the `Host` of a plain-HTTP request can be this coordinator's. Another site can point its own name at this
 * machine (DNS rebinding) and would then count as same-origin; but it cannot use an address, a name without a dot or
 * one of a local network, which no public registry assigns. Other names must match the public URL. Over TLS the
 * certificate settles the question.
 *
 * @param publicUrl the coordinator's URL for browsers, where configured.
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
