import { CoppiceError } from '@coppice/protocol';
import type { RequestHandler } from 'express';
import type { AddressLimit } from '../security/address-limit.ts';

/** Refuses requests beyond an address's limit, with the time to wait. */
export function limitRequests(limit: AddressLimit): RequestHandler {
  return (request, response, next) => {
    limit.take(request.ip ?? '').then((wait) => {
      if (wait === null) return next();
      response.set('Retry-After', String(wait));
      next(
        new CoppiceError(
          'rate-limited',
          `Too many requests from this address in a minute. Ask again in ${wait} s.`,
        ),
      );
    }, next);
  };
}
