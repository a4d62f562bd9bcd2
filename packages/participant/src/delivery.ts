import type { Clock } from '@coppice/ports';
import { type Answer, CoppiceError, type Reply, type UpValue } from '@coppice/protocol';
import { type PieceOptions, sendAnswer } from './pieces.ts';
import type { Transport } from './transport.ts';

/** Attempts to send an answer that arrives damaged, before the question is declined. */
const DELIVERY_ATTEMPTS = 3;

export interface DeliveryOptions extends PieceOptions {
  readonly request: Transport['request'];
  readonly clock: Clock;
  /** Called before each attempt. */
  readonly onSending: () => void;
}

/**
 * Sends an answer, and again after the given pause where the refusal allows it.
 *
 * @returns `null` when the answer is acknowledged; otherwise the error of its refusal.
 * @throws CoppiceError `connection-lost`, `update-not-offered`; an `AbortError` when `signal` was aborted.
 */
export async function deliver(
  answer: Answer,
  { request, clock, onSending, ...pieces }: DeliveryOptions,
): Promise<CoppiceError | null> {
  for (let attempt = 1; ; attempt++) {
    pieces.signal?.throwIfAborted();
    onSending();
    const reply: Reply<UpValue<'answer'>> = await sendAnswer(request, answer, pieces);
    if (reply.ok) return null;
    const error = CoppiceError.fromWire(reply.error);
    if (error.retry !== 'later' || attempt === DELIVERY_ATTEMPTS) return error;
    if (error.retryAfter !== null) await pause(clock, error.retryAfter, pieces.signal);
  }
}

/** @throws an `AbortError` when `signal` is aborted. */
export function pause(clock: Clock, milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const aborted = () => {
      stop();
      reject(signal?.reason);
    };
    const stop = clock.setTimer(milliseconds, () => {
      signal?.removeEventListener('abort', aborted);
      resolve();
    });
    signal?.addEventListener('abort', aborted, { once: true });
    if (signal?.aborted === true) aborted();
  });
}
