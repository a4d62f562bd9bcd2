import type { IncomingMessage } from 'node:http';
import ipaddr from 'ipaddr.js';
import proxyAddr from 'proxy-addr';

/** Whether a hop's word about the one before it counts: the address, and how far it is from here. */
export type Trust = (address: string, hop: number) => boolean;

/** @param trustProxy as in the configuration: how many proxies, or which; null trusts nobody. */
export function trustOf(trustProxy: string | null): Trust {
  if (trustProxy === null) return () => false;
  if (/^\d+$/.test(trustProxy)) return (_, hop) => hop < Number(trustProxy);
  return proxyAddr.compile(trustProxy.split(','));
}

/** Where a request comes from, by the connection and the word of proxies that are trusted. */
export function clientAddress(request: IncomingMessage, trust: Trust): string {
  // A connection that has gone has no address any more.
  return request.socket.remoteAddress === undefined ? '' : proxyAddr(request, trust);
}

/**
 * What limits count by: an IPv4 address, or the /64 network of an IPv6 address, which is what one
 * household or machine is given and can draw addresses from at will.
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

/** Whether what this request's connection says of the one before it counts. */
export function trusted({ socket }: IncomingMessage, trust: Trust): boolean {
  return socket.remoteAddress !== undefined && trust(socket.remoteAddress, 0);
}

/** Whether a request came over TLS, to this process or to a proxy that is trusted. */
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
