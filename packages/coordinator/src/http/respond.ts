import { CoppiceError, type ErrorCode, firstIssue, MAX_TEXT, parseSafely } from '@coppice/protocol';
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import type * as z from 'zod/mini';
import { outward } from '../outward.ts';
import { actorOf } from './access.ts';
import { REQUEST_ID } from './request-log.ts';

/** HTTP statuses of error codes; any other code is a fault of the server. */
const statuses: Partial<Record<ErrorCode, number>> = {
  unauthorized: 401,
  'login-refused': 401,
  forbidden: 403,
  'run-not-admitted': 403,
  'participant-banned': 403,
  'ticket-invalid': 403,
  'cross-site-request': 403,
  'too-many-attempts': 429,
  'rate-limited': 429,
  'too-many-connections': 503,
  // Misdirected request.
  'host-unknown': 421,
  'password-too-short': 422,
  'admin-name-taken': 409,
  'admin-unknown': 404,
  'admin-invitation-invalid': 410,
  'last-owner': 409,
  'not-found': 404,
  'run-unknown': 404,
  'task-unknown': 404,
  'checkpoint-unknown': 404,
  'checkpoint-mismatch': 409,
  'release-conflict': 409,
  'release-refused': 409,
  'policy-conflict': 409,
  'policy-invalid': 422,
  'firing-refused': 409,
  'run-state': 409,
  'run-ended': 409,
  'task-exists': 409,
  'body-invalid': 400,
  // A participant asked over HTTP for what its messages could not have either.
  'message-invalid': 400,
  'plan-invalid': 422,
  'task-invalid': 422,
  'model-invalid': 422,
  'weights-invalid': 422,
  'export-unsupported': 422,
  'data-invalid': 400,
  'pages-not-built': 503,
  'coordinator-starting': 503,
  'coordinator-stopping': 503,
};

export function statusOf(code: ErrorCode): number {
  return statuses[code] ?? 500;
}

/** Runs an async handler and sends its result as JSON. */
export function json<T>(
  handle: (request: Request, response: Response) => Promise<T> | T,
  status = 200,
): RequestHandler {
  return (request, response, next) => {
    Promise.resolve()
      .then(() => handle(request, response))
      .then((value) => {
        if (!response.headersSent) response.status(status).json(value);
      })
      .catch(next);
  };
}

/** Validates a request body. @throws CoppiceError with `code`, naming the first invalid field. */
export function parseBody<T extends z.ZodMiniType>(
  schema: T,
  body: unknown,
  code: ErrorCode = 'body-invalid',
): z.infer<T> {
  const parsed = parseSafely(schema, body);
  if (parsed.success) return parsed.data as z.infer<T>;
  throw new CoppiceError(code, `The request cannot be taken: ${firstIssue(parsed.error)}.`);
}

/** A path parameter; express types it as possibly a list. */
export function parameter(request: Request, name: string): string {
  return String(request.params[name]);
}

/** Reads a query parameter as a whole number from `min` to `max`. */
export function wholeNumber(value: unknown, name: string, min: number, max: number): number {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= min && number <= max)) {
    throw new CoppiceError(
      'body-invalid',
      `The query parameter "${name}" takes a whole number from ${min} to ${max}.`,
    );
  }
  return number;
}

/** Answers every thrown error with `{ error: { code, message } }`. */
export function errorHandler(logger: Logger): ErrorRequestHandler {
  return (thrown: unknown, request, response, next) => {
    // The answer is under way: all that is left is to break it off.
    if (response.headersSent) {
      next(thrown);
      return;
    }
    const error = fromExpress(thrown);
    const status = statusOf(error.code);
    if (status === 503) logger.warn({ code: error.code, request: response.get(REQUEST_ID) }, error.message);
    else if (status >= 500)
      logger.error({ err: thrown, request: response.get(REQUEST_ID) }, 'a request failed');
    const { code, message } = error;
    // Admins are told about failures of the disk; unexpected errors are in the log alone.
    const known = actorOf(request) !== null && code !== 'internal';
    response.status(status).json({ error: known ? { code, message } : outward({ code, message }) });
  };
}

/** Converts an error of Express: the JSON body parser throws its own errors, which are the client's fault. */
function fromExpress(thrown: unknown): CoppiceError {
  const type = (thrown as { type?: unknown } | null)?.type;
  if (type === 'entity.parse.failed')
    return new CoppiceError('body-invalid', 'The request body is not valid JSON.');
  if (type === 'entity.too.large')
    return new CoppiceError(
      'body-invalid',
      `The request body is too large: ${(thrown as { limit: number }).limit} bytes at most.`,
    );
  // The sender broke off, or what it sent was no HTTP from some point on.
  if (String((thrown as { code?: unknown } | null)?.code).startsWith('HPE_'))
    return new CoppiceError('body-invalid', 'The request ended in the middle.');
  const status = refusedStatus(thrown);
  if (status === 404) return new CoppiceError('not-found', 'There is nothing at this address.');
  if (status !== null)
    return new CoppiceError(
      'body-invalid',
      `The request cannot be understood: ${String((thrown as Error).message).slice(0, MAX_TEXT)}.`,
    );
  return CoppiceError.from(thrown);
}

/**
 * Status of a request that Express itself refused (an undecodable URL, an unsupported encoding, an invalid range); null
 * for other errors.
 */
function refusedStatus(thrown: unknown): number | null {
  if (thrown instanceof CoppiceError) return null;
  const status: unknown = (thrown as { status?: unknown } | null)?.status;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : null;
}
