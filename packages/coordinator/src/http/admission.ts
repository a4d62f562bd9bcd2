import {
  ChangeAdmissionSchema,
  CoppiceError,
  CreateBanSchema,
  CreateRunInvitationSchema,
  ListParticipantsSchema,
  type NewRunInvitation,
} from '@coppice/protocol';
import { type Request, Router } from 'express';
import type { Runs } from '../registry/runs.ts';
import type { Admins } from '../security/admins.ts';
import type { Admissions } from '../security/admissions.ts';
import { adminOf, originOf } from './access.ts';
import { json, parameter, parseBody } from './respond.ts';

export interface AdmissionRouterOptions {
  readonly runs: Runs;
  readonly admins: Admins;
  readonly admissions: Admissions;
  /** URL of the client page, with a slash at its end. */
  readonly clientPage: () => string;
}

/** Routes for a run's admission mode, invitations and list, and for bans. */
export function admissionRouter({ runs, admins, admissions, clientPage }: AdmissionRouterOptions): Router {
  const router = Router();
  /** The id of an existing run. */
  const runOf = (request: Request) => runs.get(parameter(request, 'run')).id;

  router.get(
    '/runs/:run/admission',
    json((request) => admissions.describe(runOf(request))),
  );
  router.put(
    '/runs/:run/admission',
    json(async (request) => {
      const run = runOf(request);
      const actor = adminOf(request);
      const { admission, keep } = parseBody(ChangeAdmissionSchema, request.body);
      const here = [...runs.engines()].find(({ id }) => id === run)?.members() ?? [];
      const kept = keep && admission !== 'open' ? here : [];
      await admissions.change(run, admission, { keep: kept, by: actor.name });
      runs.changed(run);
      await admins.record(actor, 'admission-changed', originOf(request), { target: run, detail: admission });
      return admissions.describe(run);
    }),
  );

  router.post(
    '/runs/:run/invitations',
    json(async (request): Promise<NewRunInvitation> => {
      const run = runOf(request);
      const actor = adminOf(request);
      const asked = parseBody(CreateRunInvitationSchema, request.body);
      const { secret, invitation } = await admissions.invite(run, asked, actor.name);
      await admins.record(actor, 'participant-invitation-made', originOf(request), {
        target: run,
        detail: [invitation.id, invitation.label].filter(Boolean).join(' '),
      });
      // After the "#", so that the secret is in no server's log.
      return { ...invitation, secret, link: `${clientPage()}?run=${run}#invite=${secret}` };
    }, 201),
  );
  router.delete(
    '/runs/:run/invitations/:invitation',
    json(async (request) => {
      const run = runOf(request);
      const remove = flag(request, 'remove');
      const revoked = await admissions.revoke(run, parameter(request, 'invitation'), remove);
      await admins.record(adminOf(request), 'participant-invitation-revoked', originOf(request), {
        target: run,
        detail: [revoked.id, revoked.label, remove ? '(and who came by it)' : ''].filter(Boolean).join(' '),
      });
      return revoked;
    }),
  );

  router.post(
    '/runs/:run/allow-list',
    json(async (request) => {
      const run = runOf(request);
      const actor = adminOf(request);
      const { participants, note } = parseBody(ListParticipantsSchema, request.body);
      const added = await admissions.list(run, participants, { note, by: actor.name });
      await admins.record(actor, 'participants-listed', originOf(request), {
        target: run,
        detail: [String(added), note].filter(Boolean).join(' '),
      });
      return admissions.describe(run);
    }, 201),
  );
  router.delete(
    '/runs/:run/allow-list/:participant',
    json(async (request) => {
      const run = runOf(request);
      const gone = await admissions.unlist(run, parameter(request, 'participant'));
      await admins.record(adminOf(request), 'participant-unlisted', originOf(request), {
        target: run,
        detail: gone.participant,
      });
      return gone;
    }),
  );

  router.get(
    '/bans',
    json(() => admissions.bans()),
  );
  router.post(
    '/bans',
    json(async (request) => {
      const actor = adminOf(request);
      const asked = parseBody(CreateBanSchema, request.body);
      if (asked.run !== null) runs.get(asked.run);
      const ban = await admissions.ban(asked, actor.name);
      await admins.record(actor, 'participant-banned', originOf(request), {
        target: ban.participant,
        detail: [ban.run, ban.reason].filter(Boolean).join(' '),
      });
      return ban;
    }, 201),
  );
  router.delete(
    '/bans/:ban',
    json(async (request) => {
      const lifted = await admissions.lift(parameter(request, 'ban'));
      await admins.record(adminOf(request), 'ban-lifted', originOf(request), {
        target: lifted.participant,
        detail: lifted.run ?? '',
      });
      return lifted;
    }),
  );
  return router;
}

/** A query parameter that is 1 or absent. */
export function flag(request: Request, name: string): boolean {
  const value = request.query[name];
  if (value === undefined || value === '1') return value === '1';
  throw new CoppiceError('body-invalid', `The query parameter "${name}" is 1 or left out.`);
}
