import {
  ChangeTaskAdmissionSchema,
  CreateRunInvitationSchema,
  ListParticipantsSchema,
  type NewTaskInvitation,
  type RunInvitation,
  type TaskAdmission,
  type TaskInvitation,
} from '@coppice/protocol';
import { type Request, Router } from 'express';
import type { Tasks } from '../registry/tasks.ts';
import type { Admins } from '../security/admins.ts';
import type { Admissions } from '../security/admissions.ts';
import { taskPlace } from '../security/places.ts';
import { adminOf, originOf } from './access.ts';
import { flag } from './admission.ts';
import { json, parameter, parseBody } from './respond.ts';

/** Routes for the admission of participants that report for a task: mode, invitations and list. */
export function taskAdmissionRouter({
  tasks,
  admins,
  admissions,
}: {
  tasks: Pick<Tasks, 'get'>;
  admins: Admins;
  admissions: Admissions;
}): Router {
  const router = Router();
  /** An existing task, with its place. */
  const taskOf = (request: Request) => {
    const { id } = tasks.get(parameter(request, 'task'));
    return { task: id, place: taskPlace(id) };
  };
  const described = async (task: string): Promise<TaskAdmission> => {
    const { invitations, ...admission } = await admissions.describe(taskPlace(task));
    return { ...admission, invitations: invitations.map((one) => shown(task, one)) };
  };

  router.get(
    '/tasks/:task/admission',
    json((request) => described(taskOf(request).task)),
  );
  router.put(
    '/tasks/:task/admission',
    json(async (request) => {
      const { task, place } = taskOf(request);
      const actor = adminOf(request);
      const { admission } = parseBody(ChangeTaskAdmissionSchema, request.body);
      await admissions.change(place, admission, { keep: [], by: actor.name });
      await admins.record(actor, 'admission-changed', originOf(request), {
        target: place,
        detail: admission,
      });
      return described(task);
    }),
  );

  router.post(
    '/tasks/:task/invitations',
    json(async (request): Promise<NewTaskInvitation> => {
      const { task, place } = taskOf(request);
      const actor = adminOf(request);
      const asked = parseBody(CreateRunInvitationSchema, request.body);
      const { secret, invitation } = await admissions.invite(place, asked, actor.name);
      await admins.record(actor, 'participant-invitation-made', originOf(request), {
        target: place,
        detail: [invitation.id, invitation.label].filter(Boolean).join(' '),
      });
      return { ...shown(task, invitation), secret };
    }, 201),
  );
  router.delete(
    '/tasks/:task/invitations/:invitation',
    json(async (request) => {
      const { task, place } = taskOf(request);
      const remove = flag(request, 'remove');
      const revoked = await admissions.revoke(place, parameter(request, 'invitation'), remove);
      await admins.record(adminOf(request), 'participant-invitation-revoked', originOf(request), {
        target: place,
        detail: [revoked.id, revoked.label, remove ? '(and who came by it)' : ''].filter(Boolean).join(' '),
      });
      return shown(task, revoked);
    }),
  );

  router.post(
    '/tasks/:task/allow-list',
    json(async (request) => {
      const { task, place } = taskOf(request);
      const actor = adminOf(request);
      const { participants, note } = parseBody(ListParticipantsSchema, request.body);
      const added = await admissions.list(place, participants, { note, by: actor.name });
      await admins.record(actor, 'participants-listed', originOf(request), {
        target: place,
        detail: [String(added), note].filter(Boolean).join(' '),
      });
      return described(task);
    }, 201),
  );
  router.delete(
    '/tasks/:task/allow-list/:participant',
    json(async (request) => {
      const { place } = taskOf(request);
      const gone = await admissions.unlist(place, parameter(request, 'participant'));
      await admins.record(adminOf(request), 'participant-unlisted', originOf(request), {
        target: place,
        detail: gone.participant,
      });
      return gone;
    }),
  );
  return router;
}

function shown(task: string, { run: _place, ...invitation }: RunInvitation): TaskInvitation {
  return { ...invitation, task };
}
