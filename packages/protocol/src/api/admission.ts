import * as z from 'zod/mini';
import { AdmissionSchema, ParticipantIdSchema, RunIdSchema } from '../run.ts';
import { TaskIdSchema } from '../task.ts';

/* Admission to runs, and to reporting for tasks, as operators see and change it. */

const id = z.string().check(z.minLength(1), z.maxLength(64));
/** A name or a reason, for operators. */
const note = z.string().check(z.trim(), z.maxLength(200));
/** The most ids that one request may add. */
const MAX_LISTED = 1000;

/** An invitation to a run. Its secret is shown once and stored as a hash. */
export const RunInvitationSchema = z.strictObject({
  id,
  run: RunIdSchema,
  label: z.string(),
  /** Name of the admin that made the invitation. */
  by: z.string(),
  createdAt: z.number(),
  /** Null: valid until revoked. */
  expiresAt: z.nullable(z.number()),
  /** Participants admitted with it, and the most that may be; null: no limit. */
  uses: z.int(),
  maxUses: z.nullable(z.int()),
  revokedAt: z.nullable(z.number()),
});
export type RunInvitation = z.infer<typeof RunInvitationSchema>;

/** `POST /api/runs/:run/invitations`. */
export const CreateRunInvitationSchema = z.strictObject({
  label: z._default(note, ''),
  /** Days until it expires; null: valid until revoked. */
  days: z._default(z.nullable(z.int().check(z.minimum(1), z.maximum(3650))), null),
  /** The most participants that may use it; null: no limit. */
  uses: z._default(z.nullable(z.int().check(z.minimum(1), z.maximum(1_000_000))), null),
});
export type CreateRunInvitation = z.input<typeof CreateRunInvitationSchema>;

/** An invitation with its secret, which is shown only once, and the link that carries it. */
export const NewRunInvitationSchema = z.extend(RunInvitationSchema, {
  secret: z.string(),
  link: z.string(),
});
export type NewRunInvitation = z.infer<typeof NewRunInvitationSchema>;

/** A participant that a run admits by name. */
export const ListedParticipantSchema = z.strictObject({
  participant: ParticipantIdSchema,
  /** The invitation that admitted it; null where an operator listed it. */
  invitation: z.nullable(id),
  note: z.string(),
  /** The operator that listed it, or that made its invitation. */
  by: z.string(),
  createdAt: z.number(),
});
export type ListedParticipant = z.infer<typeof ListedParticipantSchema>;

/** `POST /api/runs/:run/allow-list`. Entries that are already listed stay as they are. */
export const ListParticipantsSchema = z.strictObject({
  participants: z.array(ParticipantIdSchema).check(z.minLength(1), z.maxLength(MAX_LISTED)),
  note: z._default(note, ''),
});
export type ListParticipants = z.input<typeof ListParticipantsSchema>;

/** `POST /api/bans`. */
export const CreateBanSchema = z.strictObject({
  participant: ParticipantIdSchema,
  /** Null: banned from the whole coordinator. */
  run: z.nullable(RunIdSchema),
  /** For operators; not sent to the participant. */
  reason: z._default(note, ''),
});
export type CreateBan = z.input<typeof CreateBanSchema>;

export const BanSchema = z.strictObject({
  id,
  participant: ParticipantIdSchema,
  run: z.nullable(RunIdSchema),
  reason: z.string(),
  by: z.string(),
  createdAt: z.number(),
});
export type Ban = z.infer<typeof BanSchema>;

/** `PUT /api/runs/:run/admission`. */
export const ChangeAdmissionSchema = z.strictObject({
  admission: AdmissionSchema,
  /** True to list the current participants, so that they stay. */
  keep: z._default(z.boolean(), true),
});
export type ChangeAdmission = z.input<typeof ChangeAdmissionSchema>;

/** `GET /api/runs/:run/admission`: the complete admission state of a run. */
export const RunAdmissionSchema = z.strictObject({
  admission: AdmissionSchema,
  /** Newest first; expired, revoked and used-up ones included. */
  invitations: z.array(RunInvitationSchema),
  /** Newest first. */
  listed: z.array(ListedParticipantSchema),
  /** Bans from this run and from the whole coordinator, newest first. */
  bans: z.array(BanSchema),
});
export type RunAdmission = z.infer<typeof RunAdmissionSchema>;

/** An invitation to report for a task. Its secret is shown once and stored as a hash. */
export const TaskInvitationSchema = z.strictObject({
  ...z.omit(RunInvitationSchema, { run: true }).shape,
  task: TaskIdSchema,
});
export type TaskInvitation = z.infer<typeof TaskInvitationSchema>;

/** A task's invitation with its secret, which is shown only once. */
export const NewTaskInvitationSchema = z.extend(TaskInvitationSchema, { secret: z.string() });
export type NewTaskInvitation = z.infer<typeof NewTaskInvitationSchema>;

/** `PUT /api/tasks/:task/admission`. */
export const ChangeTaskAdmissionSchema = z.strictObject({ admission: AdmissionSchema });

/** `GET /api/tasks/:task/admission`: the participants that may report for a task. */
export const TaskAdmissionSchema = z.strictObject({
  admission: AdmissionSchema,
  /** Newest first; expired, revoked and used-up ones included. */
  invitations: z.array(TaskInvitationSchema),
  /** Newest first. */
  listed: z.array(ListedParticipantSchema),
  /** Bans from the whole coordinator, newest first. */
  bans: z.array(BanSchema),
});
export type TaskAdmission = z.infer<typeof TaskAdmissionSchema>;
