import type { IncomingMessage } from 'node:http';
import ipaddr from 'ipaddr.js';
import proxyAddr from 'proxy-addr';

/** Decides to trust a hop's forwarded headers, from its address and its distance from here. */
export type Trust = (address: string, hop: number) => boolean;

/** @param trustProxy as in the configuration: the number of proxies, or their addresses; null trusts none. */
export function trustOf(trustProxy: string | null): Trust {
  if (trustProxy === null) return () => false;
  if (/^\d+$/.test(trustProxy)) return (_, hop) => hop < Number(trustProxy);
  return proxyAddr.compile(trustProxy.split(','));
}

/** The client's address, from the connection and the forwarded headers of trusted proxies. */
export function clientAddress(request: IncomingMessage, trust: Trust): string {
  // A connection that has gone has no address any more.
  return request.socket.remoteAddress === undefined ? '' : proxyAddr(request, trust);
}

/**
 * The key that limits count by: an IPv4 address, or the /64 network of an IPv6 address, since a household or machine is
 * given one and can draw addresses from it at will.
 */
export function addressKey(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  return `${(parsed as ipaddr.IPv6).parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`;
}

/** Checks that the forwarded headers of this connection are trusted. */
export function trusted({ socket }: IncomingMessage, trust: Trust): boolean {
  return socket.remoteAddress !== undefined && trust(socket.remoteAddress, 0);
}

/** Checks that a request came over TLS, to this process or to a trusted proxy. */
export function secureRequest(request: IncomingMessage, trust: Trust): boolean {
  const { socket, headers } = request;
  if ('encrypted' in socket) return true;
  if (!trusted(request, trust)) return false;
  return (
    String(headers['x-forwarded-proto'] ?? '')
      .split(',')[0]
      ?.trim() === 'https'
  );
}
