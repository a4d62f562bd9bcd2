import * as z from 'zod/mini';
import { MAX_TEXT } from '../limits.ts';

/*
 * Access control of the coordinator. One vocabulary: a route requires a scope, a role is a set of scopes,
 * an API token holds some of them.
 */

/** Scopes of a request. */
export const scopes = [
  /** Runs, rounds, checkpoints, participants, events, live. */
  'runs:read',
  /** Launch, pause, resume, stop, end a round. */
  'runs:write',
  /** Move a task's channels: change the model that pages predict with. */
  'releases:write',
  'tasks:write',
  /** Admission of participants: a run's admission mode, its invitations, its list, and bans. */
  'participants:write',
  'metrics:read',
  'audit:read',
  /**
   * Admins, their roles and invitations, API tokens, everyone's sessions. Never granted to a token, which would be an
   * owner for ever.
   */
  'admins:write',
] as const;
export type Scope = (typeof scopes)[number];

/** Roles in ascending order; each includes the rights of the one before it. */
export const roles = ['viewer', 'operator', 'owner'] as const;
export type Role = (typeof roles)[number];
export const RoleSchema = z.enum(roles);

const viewer: readonly Scope[] = ['runs:read', 'metrics:read'];
const operator: readonly Scope[] = [
  ...viewer,
  'runs:write',
  'releases:write',
  'tasks:write',
  'participants:write',
];
export const roleScopes: Record<Role, readonly Scope[]> = { viewer, operator, owner: scopes };

/** The scopes that a token can be given. */
export const tokenScopes = scopes.filter((scope) => scope !== 'admins:write') as [Scope, ...Scope[]];

export const MIN_PASSWORD = 12;
const MAX_PASSWORD = 1000;

const secret = z.string().check(z.minLength(1), z.maxLength(MAX_TEXT));
const name = z.string().check(z.trim(), z.minLength(1), z.maxLength(80));
const id = z.string().check(z.minLength(1), z.maxLength(64));
/** Without a minimum length: a short password has an error code of its own. */
const password = z.string().check(z.maxLength(MAX_PASSWORD));

/** `POST /api/session`: the admin key, a one-time key, or a name and its password. */
export const LoginSchema = z.union([
  z.strictObject({ key: secret }),
  z.strictObject({ name, password: z.string().check(z.minLength(1), z.maxLength(MAX_PASSWORD)) }),
]);
export type Login = z.infer<typeof LoginSchema>;

/** The way in which a session was opened. */
export const ViaSchema = z.enum(['admin-key', 'one-time-key', 'password', 'invitation']);

/** `GET /api/session`. */
export const SessionStateSchema = z.strictObject({
  admin: z.boolean(),
  /** Null where no admin is signed in, and for a program. */
  account: z.nullable(
    z.strictObject({
      /** Null for the standing admin key, which belongs to no account. */
      id: z.nullable(id),
      name: z.string(),
      role: RoleSchema,
      hasPassword: z.boolean(),
      /** Null for a token or the admin key as a bearer. */
      via: z.nullable(ViaSchema),
    }),
  ),
});
export type SessionState = z.infer<typeof SessionStateSchema>;

export const AdminSchema = z.strictObject({
  id,
  name: z.string(),
  role: RoleSchema,
  hasPassword: z.boolean(),
  createdAt: z.number(),
});
export type Admin = z.infer<typeof AdminSchema>;

/** `PUT /api/account`: the caller's own name and password. */
export const AccountSchema = z.strictObject({
  name: z.optional(name),
  password: z.optional(password),
  /** The current password; left out where there is none, or where a one-time key opened the session. */
  current: z.optional(z.string().check(z.maxLength(MAX_PASSWORD))),
});
export type Account = z.infer<typeof AccountSchema>;

/** `PATCH /api/admins/:admin`. */
export const ChangeAdminSchema = z.strictObject({ role: RoleSchema });

/** `POST /api/admin-invitations`. */
export const InviteAdminSchema = z.strictObject({ role: RoleSchema });
export const AdminInvitationSchema = z.strictObject({
  id,
  role: RoleSchema,
  /** Name of the admin that made the invitation. */
  by: z.string(),
  createdAt: z.number(),
  expiresAt: z.number(),
});
export type AdminInvitation = z.infer<typeof AdminInvitationSchema>;
/** An invitation with its code, which is shown only once. */
export const NewAdminInvitationSchema = z.extend(AdminInvitationSchema, { code: secret, link: z.string() });
export type NewAdminInvitation = z.infer<typeof NewAdminInvitationSchema>;

/** `POST /api/admin-invitations/accept`. */
export const AcceptInvitationSchema = z.strictObject({ code: secret, name, password });
export type AcceptInvitation = z.infer<typeof AcceptInvitationSchema>;

/** `POST /api/tokens`. */
export const CreateTokenSchema = z.strictObject({
  name,
  scopes: z.array(z.enum(tokenScopes)).check(z.minLength(1), z.maxLength(scopes.length)),
  /** Days until it expires; null: valid until revoked. */
  days: z.nullable(z.int().check(z.minimum(1), z.maximum(3650))),
});
export type CreateToken = z.infer<typeof CreateTokenSchema>;
export const ApiTokenSchema = z.strictObject({
  id,
  name: z.string(),
  scopes: z.array(z.enum(scopes)),
  by: z.string(),
  createdAt: z.number(),
  lastUsedAt: z.nullable(z.number()),
  expiresAt: z.nullable(z.number()),
});
export type ApiToken = z.infer<typeof ApiTokenSchema>;
/** A token with its secret, which is shown only once. */
export const NewApiTokenSchema = z.extend(ApiTokenSchema, { token: secret });
export type NewApiToken = z.infer<typeof NewApiTokenSchema>;

export const AdminSessionSchema = z.strictObject({
  id,
  admin: z.nullable(id),
  name: z.string(),
  via: ViaSchema,
  createdAt: z.number(),
  lastUsedAt: z.number(),
  expiresAt: z.number(),
  agent: z.string(),
  address: z.string(),
  /** True for the session that makes the request. */
  own: z.boolean(),
});
export type AdminSession = z.infer<typeof AdminSessionSchema>;

/** Actions in the audit log, attempted ones included. */
export const auditActions = [
  'login',
  'login-failed',
  'logout',
  'account-changed',
  'admin-joined',
  'admin-role-changed',
  'admin-removed',
  'admin-invited',
  'admin-invitation-withdrawn',
  'one-time-key-made',
  'token-made',
  'token-revoked',
  'session-revoked',
  'run-launched',
  'run-start',
  'run-pause',
  'run-resume',
  'run-stop',
  'run-end-round',
  'task-added',
  'weights-sent',
  'release-moved',
  'release-undone',
  'trigger-fired',
  'policy-saved',
  'admission-changed',
  'participant-invitation-made',
  'participant-invitation-revoked',
  'participants-listed',
  'participant-unlisted',
  'participant-banned',
  'ban-lifted',
] as const;
export type AuditAction = (typeof auditActions)[number];

export const AuditEntrySchema = z.strictObject({
  id: z.int(),
  at: z.number(),
  admin: z.nullable(id),
  /** The admin's name at the time. */
  name: z.string(),
  /** A string, so that an older page can read a newer coordinator's log. */
  action: z.string(),
  target: z.string(),
  detail: z.string(),
  address: z.string(),
});
export type AuditEntry = z.infer<typeof AuditEntrySchema>;
