import {
  type Admission,
  type CreateBan,
  type CreateRunInvitation,
  type ListParticipants,
  type NewRunInvitation,
  NewRunInvitationSchema,
  parseMessage,
  type RunAdmission,
  RunAdmissionSchema,
} from '@coppice/protocol';
import { call } from './api.ts';

/* The part of the API for admission to runs. Errors as in `api.ts`. */

export async function fetchAdmission(run: string): Promise<RunAdmission> {
  return parseMessage('admission', RunAdmissionSchema, await call('GET', `/api/runs/${run}/admission`));
}

/** Changes a run's admission. `keep`: true to list the current participants, so that they stay. */
export async function changeAdmission(run: string, admission: Admission, keep: boolean): Promise<void> {
  await call('PUT', `/api/runs/${run}/admission`, { admission, keep });
}

export async function inviteParticipants(run: string, asked: CreateRunInvitation): Promise<NewRunInvitation> {
  return parseMessage(
    'invitation',
    NewRunInvitationSchema,
    await call('POST', `/api/runs/${run}/invitations`, asked),
  );
}

/** Revokes an invitation. `remove`: true to remove participants that came by it from the list. */
export async function revokeInvitation(run: string, invitation: string, remove: boolean): Promise<void> {
  await call('DELETE', `/api/runs/${run}/invitations/${invitation}${remove ? '?remove=1' : ''}`);
}

export async function listParticipants(run: string, given: ListParticipants): Promise<void> {
  await call('POST', `/api/runs/${run}/allow-list`, given);
}

export async function unlistParticipant(run: string, participant: string): Promise<void> {
  await call('DELETE', `/api/runs/${run}/allow-list/${participant}`);
}

export async function banParticipant(ban: CreateBan): Promise<void> {
  await call('POST', '/api/bans', ban);
}

export async function liftBan(ban: string): Promise<void> {
  await call('DELETE', `/api/bans/${ban}`);
}
