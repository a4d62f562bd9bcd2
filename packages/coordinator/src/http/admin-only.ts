import { CoppiceError } from '@coppice/protocol';
import type { Request, RequestHandler } from 'express';
import type { AdminSessions } from '../security/admin-sessions.ts';

/** Whether a request comes from the admin: by the page's session cookie, or by the key as a bearer token. */
export function isAdmin(sessions: AdminSessions, request: Request): boolean {
  return sessions.allows({ cookie: request.headers.cookie, authorization: request.headers.authorization });
}

/** Lets the admin through, and answers everyone else `unauthorized`. */
export function adminOnly(sessions: AdminSessions): RequestHandler {
  return (request, _response, next) => {
    if (isAdmin(sessions, request)) next();
    else {
      next(
        new CoppiceError(
          'unauthorized',
          'This needs the admin. Sign in on the admin page, or send "Authorization: Bearer <admin key>".',
        ),
      );
    }
  };
}
