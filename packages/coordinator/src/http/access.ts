import type { IncomingHttpHeaders } from 'node:http';
import { CoppiceError, type Scope } from '@coppice/protocol';
import { type Request, type Response, Router } from 'express';
import type { Actor, Origin } from '../security/actor.ts';
import { SESSION_DAYS } from '../security/admin-sessions.ts';
import type { Admins, Credentials } from '../security/admins.ts';
import { accessTable, type Need } from './access-table.ts';

const COOKIE = 'coppice_session';
const SAFE_COOKIE = `__Host-${COOKIE}`;
const actors = new WeakMap<Request, Actor | null>();

/** The actor behind a request that passed `accessRouter`. */
export function actorOf(request: Request): Actor | null {
  return actors.get(request) ?? null;
}

/** The actor behind a request to a route for admins only. @throws CoppiceError `unauthorized` */
export function adminOf(request: Request): Actor {
  const actor = actorOf(request);
  if (actor === null) throw unauthorized();
  return actor;
}

export function originOf(request: Request): Origin {
  return { address: request.ip ?? '', agent: request.headers['user-agent'] ?? '' };
}

/** Applies the access table to the routes under `prefix`; all others are refused. */
export function accessRouter(admins: Admins, prefix: string): Router {
  const router = Router();
  router.use((request, _response, next) => {
    admins
      .identify(credentialsOf(request.headers, request.secure))
      .then((actor) => {
        actors.set(request, actor);
        ensureSameSite(request);
        next();
      })
      .catch(next);
  });
  for (const [method, path, need] of accessTable) {
    if (!path.startsWith(prefix)) continue;
    router[method](path.slice(prefix.length) || '/', (request, _response, next) => {
      try {
        ensureAllowed(actorOf(request), need);
      } catch (thrown) {
        next(thrown);
        return;
      }
      next('router');
    });
  }
  router.use(() => {
    throw new CoppiceError(
      'not-found',
      'There is nothing at this address. /api/openapi.json lists what there is.',
    );
  });
  return router;
}

/** @throws CoppiceError `unauthorized`, or `forbidden`, naming the scope. */
function ensureAllowed(actor: Actor | null, need: Need): void {
  if (need === 'public') return;
  if (actor === null) throw unauthorized();
  if (need === 'session' ? actor.token !== null : !actor.scopes.includes(need)) throw forbidden(need);
}

function unauthorized(): CoppiceError {
  return new CoppiceError(
    'unauthorized',
    'This needs an admin. Sign in on the admin page, or send "Authorization: Bearer <token or admin key>".',
  );
}

export function forbidden(need: Scope | 'session'): CoppiceError {
  return new CoppiceError(
    'forbidden',
    need === 'session'
      ? 'This is for people who are signed in, not for API tokens.'
      : `This needs the scope "${need}", which your role or token does not have. Ask an owner for it.`,
  );
}

/** Reads the credentials of a request or a socket's handshake. */
export function credentialsOf(headers: IncomingHttpHeaders, secure: boolean): Credentials {
  const bearer = headers.authorization?.match(/^Bearer (.+)$/i)?.[1];
  if (bearer !== undefined) return { bearer };
  return {
    session: cookieOf(headers.cookie, SAFE_COOKIE) ?? (secure ? null : cookieOf(headers.cookie, COOKIE)),
  };
}

function cookieOf(cookie: string | undefined, wanted: string): string | null {
  for (const part of cookie?.split(';') ?? []) {
    const [name, value] = part.trim().split('=', 2);
    if (name === wanted && value !== undefined && value !== '') return value;
  }
  return null;
}

export function setSession(request: Request, response: Response, token: string): void {
  response.cookie(request.secure ? SAFE_COOKIE : COOKIE, token, {
    httpOnly: true,
    sameSite: 'strict',
    secure: request.secure,
    path: '/',
    maxAge: SESSION_DAYS * 24 * 60 * 60 * 1000,
  });
}

/** Renews the session's cookie, since each use prolongs the session. */
export function renewSession(request: Request, response: Response): void {
  const { session } = credentialsOf(request.headers, request.secure);
  if (session != null && actorOf(request)?.session != null) setSession(request, response, session);
}

export function clearSession(request: Request, response: Response): void {
  response.clearCookie(request.secure ? SAFE_COOKIE : COOKIE, {
    path: '/',
    secure: request.secure,
    httpOnly: true,
    sameSite: 'strict',
  });
}

/**
 * Refuses changes from another site's page, in addition to SameSite=Strict. Bearer tokens are exempt: browsers never
 * send them on their own.
 */
function ensureSameSite(request: Request): void {
  if (['GET', 'HEAD', 'OPTIONS'].includes(request.method) || request.headers.authorization !== undefined)
    return;
  if (!isSameSite(request.headers))
    throw new CoppiceError(
      'cross-site-request',
      'This was sent by a page of another site, so nothing was changed. Use the admin page itself.',
    );
}

/** Checks that a request comes from a page of this site, or from no browser: browsers always send one of these headers. */
export function isSameSite(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const { origin, host } = headers;
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
}
