import { CoppiceError } from '@coppice/protocol';
import type { RequestHandler } from 'express';
import { hostKnown } from '../security/hosts.ts';

/** Refuses plain-HTTP requests under a host name that may be another site's. */
export function knownHosts(publicUrl: string | null): RequestHandler {
  return (request, _response, next) => {
    if (request.secure || hostKnown(request.headers.host, publicUrl)) return next();
    next(
      new CoppiceError(
        'host-unknown',
        'This coordinator does not know the name it was called by, and without TLS anybody can let a name point here. Whoever runs it says its address with --public-url, or gives it TLS.',
      ),
    );
  };
}
