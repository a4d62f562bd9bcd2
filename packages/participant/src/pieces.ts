import {
  type Answer,
  CoppiceError,
  FRAME_HEADER_BYTES,
  frameBytes,
  pieceCount,
  pieceOf,
  type Reply,
  travelling,
  type UpName,
  type UpValue,
} from '@coppice/protocol';
import type { Transport } from './transport.ts';

/** Pieces under way at once: one is on the line while the one before is being answered. */
const UNDER_WAY = 2;
/** How often an answer is announced anew without the coordinator having taken a piece more. */
const ANNOUNCEMENTS = 3;

type Request = Transport['request'];

export interface PieceOptions {
  readonly signal?: AbortSignal | undefined;
  /** Hears how many pieces of how many are through, and how many bytes all have. */
  readonly onPiece?: ((done: number, of: number, bytes: number) => void) | undefined;
}

/**
 * Sends an answer: in one message where its frame is no larger than a piece, else its header first and its payload in
 * pieces, from the one that the coordinator wants next. A second call after a lost connection goes on where the first one
 * was.
 *
 * @returns the coordinator's acknowledgement.
 * @throws CoppiceError `connection-lost`, `update-not-offered`; an `AbortError` when `signal` was aborted.
 */
export async function sendAnswer(
  request: Request,
  answer: Answer,
  options: PieceOptions = {},
): Promise<Reply<UpValue<'answer'>>> {
  const frame = frameBytes(answer.frame);
  const header = travelling(frame);
  if (header === frame) return request('answer', answer);
  let furthest = -1;
  for (let stuck = 0; ; ) {
    options.signal?.throwIfAborted();
    const reply = await request('answer', { ...answer, frame: header });
    if (!reply.ok || reply.value.next === null) return reply;
    stuck = reply.value.next > furthest ? 0 : stuck + 1;
    furthest = Math.max(furthest, reply.value.next);
    if (stuck === ANNOUNCEMENTS) {
      throw new CoppiceError(
        'update-not-offered',
        'The coordinator asks for the same pieces of the update again and again.',
      );
    }
    const refused = await sendPieces(request, answer, reply.value.next, options);
    // Forgotten meanwhile, as by a restart: announced anew, it begins anew.
    if (refused !== null && refused.error.code !== 'update-not-offered') return refused;
  }
}

type Refused = Extract<Reply<never>, { ok: false }>;

async function sendPieces(
  request: Request,
  { run, ticket, frame }: Answer,
  from: number,
  { signal, onPiece }: PieceOptions,
): Promise<Refused | null> {
  if (run === undefined) throw new RangeError('an answer to a task comes in one message');
  const payload = frameBytes(frame).subarray(FRAME_HEADER_BYTES);
  const of = pieceCount(payload.byteLength);
  onPiece?.(from, of, payload.byteLength);
  return inOrder(request, 'answer-piece', { from, of, signal }, (piece) => ({
    message: { run, ticket, piece, bytes: pieceOf(payload, piece) },
    done: () => onPiece?.(piece + 1, of, payload.byteLength),
  }));
}

/**
 * Asks one question a piece, a few at once, and takes the answers in order.
 *
 * @param span.from the first piece, from 0; span.of: how many there are.
 * @returns the first refusal; `null` where there was none.
 * @throws CoppiceError `connection-lost`; an `AbortError` when `span.signal` was aborted.
 */
export async function inOrder<N extends 'answer-piece' | 'parcel'>(
  request: Request,
  name: N,
  { from, of, signal }: { from: number; of: number; signal: AbortSignal | undefined },
  ask: (piece: number) => { message: Parameters<typeof request<N>>[1]; done: (value: UpValue<N>) => void },
): Promise<Refused | null> {
  const underWay: { reply: Promise<Reply<UpValue<N>>>; done: (value: UpValue<N>) => void }[] = [];
  for (let piece = from; piece < of || underWay.length > 0; ) {
    signal?.throwIfAborted();
    if (piece < of && underWay.length < UNDER_WAY) {
      const { message, done } = ask(piece++);
      const reply = request(name as UpName, message as never) as Promise<Reply<UpValue<N>>>;
      // An earlier one may be refused first, and then nothing waits for this one.
      reply.catch(() => {});
      underWay.push({ reply, done });
      continue;
    }
    const { reply, done } = underWay.shift() as (typeof underWay)[number];
    const answer = await reply;
    if (!answer.ok) return answer;
    done(answer.value);
  }
  return null;
}
