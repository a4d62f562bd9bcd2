import {
  AcceptInvitationSchema,
  AccountSchema,
  type AdminInvitation,
  ChangeAdminSchema,
  CreateTokenSchema,
  InviteAdminSchema,
  LoginSchema,
} from '@coppice/protocol';
import { Router } from 'express';
import { stateOf } from '../security/actor.ts';
import type { Admins } from '../security/admins.ts';
import type { AdminInvitationRecord } from '../storage/admin-storage.ts';
import type { Storage } from '../storage/storage.ts';
import { actorOf, adminOf, clearSession, originOf, renewSession, setSession } from './access.ts';
import { json, parameter, parseBody, wholeNumber } from './respond.ts';

const AUDIT_PAGE = 100;

/** Routes for signing in and out, admins, invitations, tokens, sessions and the audit log. */
export function adminsRouter({
  admins,
  storage,
  adminPage,
}: {
  admins: Admins;
  storage: Storage;
  adminPage: () => string;
}): Router {
  const router = Router();

  router.get(
    '/session',
    json((request, response) => {
      renewSession(request, response);
      return stateOf(actorOf(request));
    }),
  );
  router.post(
    '/session',
    json(async (request, response) => {
      const token = await admins.signIn(parseBody(LoginSchema, request.body), originOf(request));
      setSession(request, response, token);
      return stateOf(await admins.identify({ session: token }));
    }),
  );
  router.delete(
    '/session',
    json(async (request, response) => {
      const actor = actorOf(request);
      if (actor !== null) await admins.signOut(actor, originOf(request));
      clearSession(request, response);
      return stateOf(null);
    }),
  );
  router.put(
    '/account',
    json(async (request) => {
      const actor = adminOf(request);
      await admins.changeAccount(actor, parseBody(AccountSchema, request.body), originOf(request));
      return (await admins.accounts.all()).find(({ id }) => id === actor.admin);
    }),
  );

  router.get(
    '/admins',
    json(() => admins.accounts.all()),
  );
  router.patch(
    '/admins/:admin',
    json(async (request) => {
      const { role } = parseBody(ChangeAdminSchema, request.body);
      const changed = await admins.accounts.changeRole(parameter(request, 'admin'), role);
      await admins.record(adminOf(request), 'admin-role-changed', originOf(request), {
        target: changed.name,
        detail: role,
      });
      return changed;
    }),
  );
  router.delete(
    '/admins/:admin',
    json(async (request) => {
      const removed = await admins.accounts.remove(parameter(request, 'admin'));
      await admins.record(adminOf(request), 'admin-removed', originOf(request), { target: removed.name });
      return removed;
    }),
  );

  router.get(
    '/admin-invitations',
    json(async () => (await admins.invitations.open()).map(shown)),
  );
  router.post(
    '/admin-invitations',
    json(async (request) => {
      const actor = adminOf(request);
      const { role } = parseBody(InviteAdminSchema, request.body);
      const { code, record } = await admins.invitations.invite(actor, role);
      await admins.record(actor, 'admin-invited', originOf(request), { target: record.id, detail: role });
      // After the "#", so that the code is in no server's log.
      return { ...shown(record), code, link: `${adminPage()}#invitation=${code}` };
    }, 201),
  );
  router.post(
    '/admin-invitations/accept',
    json(async (request, response) => {
      const token = await admins.accept(parseBody(AcceptInvitationSchema, request.body), originOf(request));
      setSession(request, response, token);
      return stateOf(await admins.identify({ session: token }));
    }, 201),
  );
  router.delete(
    '/admin-invitations/:invitation',
    json(async (request) => {
      const withdrawn = await admins.invitations.withdraw(parameter(request, 'invitation'));
      await admins.record(adminOf(request), 'admin-invitation-withdrawn', originOf(request), {
        target: withdrawn.id,
        detail: withdrawn.role,
      });
      return shown(withdrawn);
    }),
  );

  router.get(
    '/tokens',
    json(() => admins.tokens.all()),
  );
  router.post(
    '/tokens',
    json(async (request) => {
      const actor = adminOf(request);
      const made = await admins.tokens.make(actor, parseBody(CreateTokenSchema, request.body));
      await admins.record(actor, 'token-made', originOf(request), {
        target: made.name,
        detail: made.scopes.join(' '),
      });
      return made;
    }, 201),
  );
  router.delete(
    '/tokens/:token',
    json(async (request) => {
      const revoked = await admins.tokens.revoke(parameter(request, 'token'));
      await admins.record(adminOf(request), 'token-revoked', originOf(request), { target: revoked.name });
      return revoked;
    }),
  );

  router.get(
    '/sessions',
    json((request) => admins.sessions.of(adminOf(request))),
  );
  router.delete(
    '/sessions/:session',
    json(async (request) => {
      const actor = adminOf(request);
      const ended = await admins.sessions.revoke(actor, parameter(request, 'session'));
      await admins.record(actor, 'session-revoked', originOf(request), { target: ended.name });
      return ended;
    }),
  );

  router.get(
    '/audit',
    json((request) => {
      const { before, admin, action } = request.query;
      return storage.audit({
        ...(before === undefined
          ? {}
          : { before: wholeNumber(before, 'before', 0, Number.MAX_SAFE_INTEGER) }),
        ...(typeof admin === 'string' && admin !== '' ? { admin } : {}),
        ...(typeof action === 'string' && action !== '' ? { action } : {}),
        limit: AUDIT_PAGE,
      });
    }),
  );
  return router;
}

function shown({ id, role, by, createdAt, expiresAt }: AdminInvitationRecord): AdminInvitation {
  return { id, role, by, createdAt, expiresAt };
}
