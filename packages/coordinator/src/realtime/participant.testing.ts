import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { type Down, PROTOCOL_VERSION, planDescription, proofBytes } from '@coppice/protocol';
import { io, type Socket } from 'socket.io-client';

/** A connected participant after its welcome. */
export interface Connected {
  readonly socket: Socket;
  /** Its participant id. */
  readonly id: string;
  readonly welcome: Down<'welcome'>;
  /** Its proof: the complete message `prove`. */
  readonly proof: { readonly signature: string };
}

/** The keys of a participant. */
export const newKeys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** Connects a participant, with new keys where none are given, and proves them. */
export async function connectParticipant(
  url: string,
  transports: ('polling' | 'websocket')[] = ['websocket'],
  { publicKey, privateKey } = newKeys(),
): Promise<Connected> {
  const { x, y } = publicKey.export({ format: 'jwk' });
  const part = (text: unknown) => Buffer.from(text as string, 'base64url');
  const point = Buffer.concat([Buffer.of(4), part(x), part(y)]);
  const socket = io(`${url}/participant`, {
    transports,
    reconnection: false,
    forceNew: true,
    auth: {
      protocol: PROTOCOL_VERSION,
      key: point.toString('base64url'),
      features: [...planDescription.capabilities().keys()],
    },
  });
  const { nonce } = await next<Down<'challenge'>>(socket, 'challenge');
  const bytes = proofBytes(new URL(url).host, nonce);
  const signature = sign('sha256', bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const proof = { signature: signature.toString('base64url') };
  const welcomed = next<Down<'welcome'>>(socket, 'welcome');
  socket.emit('prove', proof);
  const id = createHash('sha256').update(point).digest('hex').slice(0, 32);
  return { socket, id, welcome: await welcomed, proof };
}

/** Resolves with the next event of this name. */
export function next<T>(socket: Socket, event: string): Promise<T> {
  return new Promise((resolve) => socket.once(event, resolve));
}
