import './words.ts';
import type * as z from 'zod/mini';
import type { downMessages } from './down.ts';
import { CoppiceError, type WireError } from './errors.ts';
import { MAX_TEXT } from './limits.ts';
import type { Model } from './reply.ts';
import type { upMessages } from './up.ts';

export type UpName = keyof typeof upMessages;
export type Up<N extends UpName> = z.infer<(typeof upMessages)[N]['schema']>;

type ReplyOf<N extends UpName> = (typeof upMessages)[N]['reply'];
/** What a successful answer to `N` carries; `void` for messages without an answer. */
export type UpValue<N extends UpName> =
  ReplyOf<N> extends z.ZodMiniType ? Extract<z.infer<ReplyOf<N>>, { ok: true }>['value'] : undefined;

export type Reply<T> = { ok: true; value: T } | { ok: false; error: WireError; current?: Model | undefined };

export type DownName = keyof typeof downMessages;
export type Down<N extends DownName> = z.infer<(typeof downMessages)[N]>;

/**
 * Checks a message at the boundary. Unknown fields are refused: what is not in the schema is not
 * part of the wire.
 *
 * @throws CoppiceError `message-invalid`, naming the first field that is wrong.
 */
export function parseMessage<T extends z.ZodMiniType>(name: string, schema: T, value: unknown): z.infer<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data as z.infer<T>;
  throw new CoppiceError(
    'message-invalid',
    `The message "${name}" is not valid: ${firstIssue(parsed.error)}.`,
  );
}

/** "field.path: what is wrong", for the first issue of a zod error. Cut: names of fields may be as long as their sender likes. */
export function firstIssue(error: z.core.$ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return 'unknown';
  const path = issue.path.map(String).join('.');
  const text = path === '' ? issue.message : `${path}: ${issue.message}`;
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}…`;
}
