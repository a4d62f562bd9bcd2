import { randomUUID } from 'node:crypto';
import type { RequestHandler } from 'express';
import type { Logger } from 'pino';

export const REQUEST_ID = 'X-Request-Id';

/**
 * Gives every request an id, which its answer and its log lines carry. Query strings are not logged, since they may
 * contain keys.
 */
export function requestLog(logger: Logger): RequestHandler {
  return (request, response, next) => {
    const id = randomUUID();
    const { method, path } = request;
    const began = performance.now();
    response.set(REQUEST_ID, id);
    response.once('finish', () => {
      const milliseconds = Math.round(performance.now() - began);
      logger.debug(
        { request: id, method, path, status: response.statusCode, milliseconds },
        'a request was answered',
      );
    });
    next();
  };
}
