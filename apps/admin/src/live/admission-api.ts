import {
  type Admission,
  type Ban,
  type CreateBan,
  type CreateRunInvitation,
  type ListedParticipant,
  type ListParticipants,
  NewRunInvitationSchema,
  NewTaskInvitationSchema,
  parseMessage,
  RunAdmissionSchema,
  type RunInvitation,
  TaskAdmissionSchema,
} from '@coppice/protocol';
import { call } from './api.ts';

/* The part of the API for admission: of participants to a run, and of those that report for a task. Errors as in `api.ts`. */

/** An invitation, whatever it is to. */
export type Invitation = Omit<RunInvitation, 'run'>;

export interface AdmissionState {
  readonly admission: Admission;
  readonly invitations: readonly Invitation[];
  readonly listed: readonly ListedParticipant[];
  readonly bans: readonly Ban[];
}

/** The admission of one run or one task. */
export interface AdmissionApi {
  fetch(): Promise<AdmissionState>;
  /** @param keep true to list the current participants of a run, so that they stay; without effect for a task. */
  change(admission: Admission, keep: boolean): Promise<void>;
  /** Makes an invitation. Returns its link; that of a task has none, and its secret is returned. */
  invite(asked: CreateRunInvitation): Promise<string>;
  /** @param remove true to remove participants that came by it from the list. */
  revoke(invitation: string, remove: boolean): Promise<void>;
  list(given: ListParticipants): Promise<void>;
  unlist(participant: string): Promise<void>;
}

export function runAdmission(run: string): AdmissionApi {
  const path = `/api/runs/${run}`;
  return {
    ...shared(path),
    fetch: async () => parseMessage('admission', RunAdmissionSchema, await call('GET', `${path}/admission`)),
    async change(admission, keep) {
      await call('PUT', `${path}/admission`, { admission, keep });
    },
    async invite(asked) {
      const made = await call('POST', `${path}/invitations`, asked);
      return parseMessage('invitation', NewRunInvitationSchema, made).link;
    },
  };
}

export function taskAdmission(task: string): AdmissionApi {
  const path = `/api/tasks/${task}`;
  return {
    ...shared(path),
    fetch: async () => parseMessage('admission', TaskAdmissionSchema, await call('GET', `${path}/admission`)),
    async change(admission) {
      await call('PUT', `${path}/admission`, { admission });
    },
    async invite(asked) {
      const made = await call('POST', `${path}/invitations`, asked);
      return parseMessage('invitation', NewTaskInvitationSchema, made).secret;
    },
  };
}

function shared(path: string): Pick<AdmissionApi, 'revoke' | 'list' | 'unlist'> {
  return {
    async revoke(invitation, remove) {
      await call('DELETE', `${path}/invitations/${invitation}${remove ? '?remove=1' : ''}`);
    },
    async list(given) {
      await call('POST', `${path}/allow-list`, given);
    },
    async unlist(participant) {
      await call('DELETE', `${path}/allow-list/${participant}`);
    },
  };
}

export async function banParticipant(ban: CreateBan): Promise<void> {
  await call('POST', '/api/bans', ban);
}

export async function liftBan(ban: string): Promise<void> {
  await call('DELETE', `/api/bans/${ban}`);
}
