import * as z from 'zod/mini';
import { WireErrorSchema } from './run.ts';
import { TicketSchema } from './ticket.ts';
import { tolerant } from './tolerant.ts';

/** The acknowledgement of a message: the value, or a named error. Read as a message down: see `tolerant`. */
export function replySchema<T extends z.ZodMiniType>(value: T) {
  return z.discriminatedUnion('ok', [
    z.object({ ok: z.literal(true), value: tolerant(value) }),
    z.object({ ok: z.literal(false), error: WireErrorSchema }),
  ]);
}

/** Bytes, as Socket.IO delivers them: a Buffer in Node, an ArrayBuffer in a browser. */
export const FrameBytesSchema = z.custom<Uint8Array | ArrayBuffer>(
  (value) => value instanceof Uint8Array || value instanceof ArrayBuffer,
  { error: 'expected binary' },
);

/** A global model: its round, its hash, and its weights frame, or the header alone of a large one. */
export const ModelSchema = z.object({
  round: z.int().check(z.minimum(0)),
  checkpoint: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  /** The model that the steps start from; left out where the frame is a model. */
  base: z.optional(z.string().check(z.regex(/^[0-9a-f]{64}$/))),
  /** The hash of the numbers that the frame has, where frozen tensors are left out; left out, the frame has all. */
  moving: z.optional(z.string().check(z.regex(/^[0-9a-f]{64}$/))),
  /** The frozen tensors of a model that comes in parts: the hash of their bytes, and the header of their parcel. */
  frozen: z.optional(
    z.object({ hash: z.string().check(z.regex(/^[0-9a-f]{64}$/)), frame: FrameBytesSchema }),
  ),
  frame: FrameBytesSchema,
  /** With the header alone of a large model: opens its payload over HTTP as long as it is the current one. */
  ticket: z.optional(TicketSchema),
});
export type Model = z.infer<typeof ModelSchema>;

/** An empty answer: the message arrived and was accepted. */
export const NothingSchema = z.null();

/** The bytes of a frame from either type; no copy. */
export function frameBytes(frame: Uint8Array | ArrayBuffer): Uint8Array {
  return frame instanceof Uint8Array ? frame : new Uint8Array(frame);
}
