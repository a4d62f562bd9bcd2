import { randomBytes } from 'node:crypto';
import type { Clock } from '@coppice/ports';
import {
  CoppiceError,
  type Down,
  parseMessage,
  type Reply,
  SILENCE_TIMEOUT,
  upMessages,
} from '@coppice/protocol';
import type { Socket } from 'socket.io';
import { type Claim, proves } from './claim.ts';

export interface ChallengeOptions {
  readonly clock: Clock;
  /** The coordinator's URL, where proxies before it may hide it; null where there are none. */
  readonly publicUrl: string | null;
  /** The reason to refuse a participant with a proved key; `null` where it is admitted. */
  readonly refusal: (participant: string) => Promise<CoppiceError | null>;
  /** Called with `ok` or an error code. */
  readonly answered: (result: string) => void;
}

/**
 * Challenges a new connection to prove its key, and calls `proven` once on success. Until then other messages are
 * ignored. The connection is closed on a timeout, an invalid proof, or a refused participant. The first proof decides:
 * later ones get the same answer.
 */
export function challenge(socket: Socket, claim: Claim, options: ChallengeOptions, proven: () => void): void {
  // Never used again: what is signed for this connection is worth nothing on another.
  const nonce = randomBytes(32).toString('hex');
  const cancel = options.clock.setTimer(SILENCE_TIMEOUT, () => socket.disconnect(true));
  socket.once('disconnect', cancel);
  let verdict: Promise<CoppiceError | null> | null = null;
  const judge = async (payload: unknown) =>
    (await check(claim, payload, { hosts: hostsOf(socket, options.publicUrl), nonce })) ??
    (await options.refusal(claim.participant));
  socket.on('prove', (payload: unknown, acknowledge: unknown) => {
    cancel();
    const isFirst = verdict === null;
    verdict ??= judge(payload);
    void verdict.then((error) => {
      options.answered(error?.code ?? 'ok');
      const reply: Reply<null> =
        error === null ? { ok: true, value: null } : { ok: false, error: error.toWire() };
      if (typeof acknowledge === 'function') acknowledge(reply);
      if (!isFirst) return;
      if (error !== null) socket.disconnect(true);
      else if (socket.connected) proven();
    });
  });
  const message: Down<'challenge'> = { nonce };
  socket.emit('challenge', message);
}

async function check(
  claim: Claim,
  payload: unknown,
  given: { hosts: readonly string[]; nonce: string },
): Promise<CoppiceError | null> {
  try {
    const { signature } = parseMessage('prove', upMessages.prove.schema, payload) as { signature: string };
    if (await proves(claim, signature, given)) return null;
  } catch (thrown) {
    return CoppiceError.from(thrown);
  }
  return new CoppiceError(
    'identity-unproven',
    `The participant could not prove that its key is its own: the signature is not of this connection to ${given.hosts.join(' or ')}. Where a proxy stands before the coordinator, let it pass the Host header on, or set --public-url.`,
  );
}

function hostsOf(socket: Socket, publicUrl: string | null): string[] {
  const { host } = socket.handshake.headers;
  const hosts = host === undefined ? [] : [host.toLowerCase()];
  if (publicUrl !== null) hosts.push(new URL(publicUrl).host);
  return [...new Set(hosts)];
}
