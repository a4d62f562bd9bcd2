import * as z from 'zod/mini';
import { AdmissionSchema, ParticipantIdSchema, RunIdSchema } from '../run.ts';

/* Who may take part in a run, and who may not: what operators see and say. */

const id = z.string().check(z.minLength(1), z.maxLength(64));
/** A name or a reason, for operators. */
const note = z.string().check(z.trim(), z.maxLength(200));
/** The most ids that one request adds. */
const MAX_LISTED = 1000;

/** An invitation to a run. Its secret is shown once and stored as a hash. */
export const RunInvitationSchema = z.strictObject({
  id,
  run: RunIdSchema,
  label: z.string(),
  /** Who made it. */
  by: z.string(),
  createdAt: z.number(),
  /** Null: until it is revoked. */
  expiresAt: z.nullable(z.number()),
  /** How many participants came by it, and how many may; null: any number. */
  uses: z.int(),
  maxUses: z.nullable(z.int()),
  revokedAt: z.nullable(z.number()),
});
export type RunInvitation = z.infer<typeof RunInvitationSchema>;

/** `POST /api/runs/:run/invitations`. */
export const CreateRunInvitationSchema = z.strictObject({
  label: z._default(note, ''),
  /** Days that it is valid; null: until it is revoked. */
  days: z._default(z.nullable(z.int().check(z.minimum(1), z.maximum(3650))), null),
  /** How many may come by it; null: any number. */
  uses: z._default(z.nullable(z.int().check(z.minimum(1), z.maximum(1_000_000))), null),
});
export type CreateRunInvitation = z.input<typeof CreateRunInvitationSchema>;

/** With the secret, which is shown this once, and the link that carries it. */
export const NewRunInvitationSchema = z.extend(RunInvitationSchema, {
  secret: z.string(),
  link: z.string(),
});
export type NewRunInvitation = z.infer<typeof NewRunInvitationSchema>;

/** A participant that a run admits by name. */
export const ListedParticipantSchema = z.strictObject({
  participant: ParticipantIdSchema,
  /** The invitation it came by; null: an operator put it on the list. */
  invitation: z.nullable(id),
  note: z.string(),
  /** The operator who put it there; of those invited, who made the invitation. */
  by: z.string(),
  createdAt: z.number(),
});
export type ListedParticipant = z.infer<typeof ListedParticipantSchema>;

/** `POST /api/runs/:run/allow-list`. Those who are on it already stay as they are. */
export const ListParticipantsSchema = z.strictObject({
  participants: z.array(ParticipantIdSchema).check(z.minLength(1), z.maxLength(MAX_LISTED)),
  note: z._default(note, ''),
});
export type ListParticipants = z.input<typeof ListParticipantsSchema>;

/** `POST /api/bans`. */
export const CreateBanSchema = z.strictObject({
  participant: ParticipantIdSchema,
  /** Null: from the whole coordinator. */
  run: z.nullable(RunIdSchema),
  /** For operators; the participant is not told. */
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
  /** Whether those who take part now are put on the run's list, so that they stay. */
  keep: z._default(z.boolean(), true),
});
export type ChangeAdmission = z.input<typeof ChangeAdmissionSchema>;

/** `GET /api/runs/:run/admission`: everything about who may take part. */
export const RunAdmissionSchema = z.strictObject({
  admission: AdmissionSchema,
  /** Newest first, those that let nobody in any more too. */
  invitations: z.array(RunInvitationSchema),
  /** Newest first. */
  listed: z.array(ListedParticipantSchema),
  /** Of this run and of the whole coordinator, newest first. */
  bans: z.array(BanSchema),
});
export type RunAdmission = z.infer<typeof RunAdmissionSchema>;
