import './words.ts';
import type * as z from 'zod/mini';
import type { downMessages } from './down.ts';
import { CoppiceError, type WireError } from './errors.ts';
import { MAX_TEXT } from './limits.ts';
import type { upMessages } from './up.ts';

export type UpName = keyof typeof upMessages;
export type Up<N extends UpName> = z.infer<(typeof upMessages)[N]['schema']>;

type ReplyOf<N extends UpName> = (typeof upMessages)[N]['reply'];
/** The value of a successful answer to `N`; `void` for messages without an answer. */
export type UpValue<N extends UpName> =
  ReplyOf<N> extends z.ZodMiniType ? Extract<z.infer<ReplyOf<N>>, { ok: true }>['value'] : undefined;

export type Reply<T> = { ok: true; value: T } | { ok: false; error: WireError };

export type DownName = keyof typeof downMessages;
export type Down<N extends DownName> = z.infer<(typeof downMessages)[N]>;

/**
 * Checks a message at the boundary. In messages up, unknown fields are refused; in messages down, they are ignored, so
 * that a newer coordinator can add fields.
 *
 * @throws CoppiceError `message-invalid`, naming the first invalid field; `plan-unsupported` where that field is in the
 *   plan of a joined run: a newer coordinator's plan, by which this side must not train.
 */
export function parseMessage<T extends z.ZodMiniType>(name: string, schema: T, value: unknown): z.infer<T> {
  const parsed = parseSafely(schema, value);
  if (parsed.success) return parsed.data as z.infer<T>;
  const [of, field] = parsed.error.issues[0]?.path ?? [];
  if (of === 'value' && field === 'plan')
    throw new CoppiceError(
      'plan-unsupported',
      `The run's plan asks for something that this program does not know: ${firstIssue(parsed.error)}. Reload the page, or update the program.`,
    );
  throw new CoppiceError(
    'message-invalid',
    `The message "${name}" is not valid: ${firstIssue(parsed.error)}.`,
  );
}

type Issues = Pick<z.core.$ZodError, 'issues'>;
type Issue = z.core.$ZodIssue;

/**
 * As the schema's own `safeParse`, for untrusted values: `safeParse` throws where something has a `length` that is no
 * number and cannot be converted to one.
 */
export function parseSafely<T extends z.ZodMiniType>(
  schema: T,
  value: unknown,
): { success: true; data: z.infer<T> } | { success: false; error: Issues } {
  try {
    return schema.safeParse(value) as { success: true; data: z.infer<T> } | { success: false; error: Issues };
  } catch {
    return {
      success: false,
      error: { issues: [{ code: 'custom', path: [], message: 'its form cannot be checked', input: value }] },
    };
  }
}

/** "field.path: problem", for the first issue of a zod error. Truncated: a sender may choose arbitrarily long field names. */
export function firstIssue(error: Issues): string {
  const outer = error.issues[0];
  if (outer === undefined) return 'unknown';
  const issue = nearest(outer);
  const path = issue.path.map(String).join('.');
  const text = path === '' ? issue.message : `${path}: ${issue.message}`;
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}…`;
}

/** The first fault of the alternative that a value comes nearest to, with the fewest faults. */
function nearest(issue: Issue): Pick<Issue, 'path' | 'message'> {
  if (issue.code !== 'invalid_union') return issue;
  const [inner] = issue.errors.reduce(
    (best, one) => (one.length < best.length ? one : best),
    issue.errors[0] ?? [],
  );
  if (inner === undefined) return issue;
  const { path, message } = nearest(inner);
  return { path: [...issue.path, ...path], message };
}
