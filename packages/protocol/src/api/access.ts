import * as z from 'zod/mini';
import { MAX_TEXT } from '../limits.ts';

/*
 * Who may do what on the coordinator. One vocabulary: a route asks for a scope, a role is a set of scopes,
 * an API token holds some of them.
 */

/** What a request may be allowed. */
export const scopes = [
  /** Runs, rounds, checkpoints, participants, events, live. */
  'runs:read',
  /** Launch, pause, resume, stop, end a round. */
  'runs:write',
  'tasks:write',
  /** Who may take part: a run's admission, its invitations and its list, bans. */
  'participants:write',
  'metrics:read',
  'audit:read',
  /** Admins, their roles and invitations, API tokens, everyone's sessions. Never a token's: it would be an owner for ever. */
  'admins:write',
] as const;
export type Scope = (typeof scopes)[number];

/** Each may do all that the one before it may. */
export const roles = ['viewer', 'operator', 'owner'] as const;
export type Role = (typeof roles)[number];
export const RoleSchema = z.enum(roles);

const viewer: readonly Scope[] = ['runs:read', 'metrics:read'];
const operator: readonly Scope[] = [...viewer, 'runs:write', 'tasks:write', 'participants:write'];
export const roleScopes: Record<Role, readonly Scope[]> = { viewer, operator, owner: scopes };

/** The scopes that a token can be given. */
export const tokenScopes = scopes.filter((scope) => scope !== 'admins:write') as [Scope, ...Scope[]];

export const MIN_PASSWORD = 12;
const MAX_PASSWORD = 1000;

const secret = z.string().check(z.minLength(1), z.maxLength(MAX_TEXT));
const name = z.string().check(z.trim(), z.minLength(1), z.maxLength(80));
const id = z.string().check(z.minLength(1), z.maxLength(64));
/** Too short is refused by its own name, so the schema lets it pass. */
const password = z.string().check(z.maxLength(MAX_PASSWORD));

/** `POST /api/session`: the admin key, a one-time key, or a name and its password. */
export const LoginSchema = z.union([
  z.strictObject({ key: secret }),
  z.strictObject({ name, password: z.string().check(z.minLength(1), z.maxLength(MAX_PASSWORD)) }),
]);
export type Login = z.infer<typeof LoginSchema>;

/** How a session was opened. */
export const ViaSchema = z.enum(['admin-key', 'one-time-key', 'password', 'invitation']);

/** `GET /api/session`. */
export const SessionStateSchema = z.strictObject({
  admin: z.boolean(),
  /** Null where nobody is signed in, or only a program is. */
  account: z.nullable(
    z.strictObject({
      /** Null for the standing admin key, which is nobody's. */
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

/** `PUT /api/account`: one's own name and password. */
export const AccountSchema = z.strictObject({
  name: z.optional(name),
  password: z.optional(password),
  /** The password so far, where there is one and the session was not opened by a one-time key. */
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
  /** Who made it. */
  by: z.string(),
  createdAt: z.number(),
  expiresAt: z.number(),
});
export type AdminInvitation = z.infer<typeof AdminInvitationSchema>;
/** With the code, which is shown this once. */
export const NewAdminInvitationSchema = z.extend(AdminInvitationSchema, { code: secret, link: z.string() });
export type NewAdminInvitation = z.infer<typeof NewAdminInvitationSchema>;

/** `POST /api/admin-invitations/accept`. */
export const AcceptInvitationSchema = z.strictObject({ code: secret, name, password });
export type AcceptInvitation = z.infer<typeof AcceptInvitationSchema>;

/** `POST /api/tokens`. */
export const CreateTokenSchema = z.strictObject({
  name,
  scopes: z.array(z.enum(tokenScopes)).check(z.minLength(1), z.maxLength(scopes.length)),
  /** Days that it is valid; null: until it is revoked. */
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
/** With the token, which is shown this once. */
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
  /** The one that asks. */
  own: z.boolean(),
});
export type AdminSession = z.infer<typeof AdminSessionSchema>;

/** What an admin did, or tried to. */
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
  /** What the admin was called then. */
  name: z.string(),
  /** A string, so that a page of today reads the log of a newer coordinator. */
  action: z.string(),
  target: z.string(),
  detail: z.string(),
  address: z.string(),
});
export type AuditEntry = z.infer<typeof AuditEntrySchema>;
