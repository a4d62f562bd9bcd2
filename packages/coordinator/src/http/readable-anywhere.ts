import type { RequestHandler } from 'express';

/**
 * Lets pages of every origin read an answer, a refusal too: models, descriptions of tasks, and what runs ask for. A browser sends
 * no cookie with what such a page asks for, and no other header without asking first.
 */
export const readableAnywhere: RequestHandler = (_request, response, next) => {
  response.set({
    'Access-Control-Allow-Origin': '*',
    // By the first a page sees that a channel moved, by the second when to ask again.
    'Access-Control-Expose-Headers': 'ETag, Retry-After',
    'Cross-Origin-Resource-Policy': 'cross-origin',
  });
  next();
};
