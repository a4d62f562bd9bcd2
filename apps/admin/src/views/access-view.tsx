import {
  type Admin,
  type AdminInvitation,
  type AdminSession,
  type ApiToken,
  type AuditAction,
  type AuditEntry,
  auditActions,
  type NewAdminInvitation,
  type NewApiToken,
  type Role,
  roles,
  type Scope,
  tokenScopes,
} from '@coppice/protocol';
import { Confirm, formatDateTime } from '@coppice/ui';
import { useEffect, useState } from 'preact/hooks';
import * as api from '../live/access-api.ts';
import { account, may, refreshAccount } from '../live/live.ts';
import { accessText, actionWords, roleHelp, roleWords, viaWords } from './access-texts.ts';
import { act } from './act.ts';
import { TextInput } from './fields.tsx';
import { List, useList } from './list.tsx';
import { Shown } from './parts.tsx';

/** View of admins, their access and the audit log. */
export function AccessView() {
  const owner = may('admins:write');
  return (
    <article class="stack">
      <h1>{accessText().title}</h1>
      <OwnAccount />
      {owner && <Admins />}
      {owner && <Tokens />}
      <Sessions />
      {may('audit:read') && <Audit />}
    </article>
  );
}

function OwnAccount() {
  const t = accessText();
  const own = account.value;
  const [name, setName] = useState(own?.name ?? '');
  const [password, setPassword] = useState('');
  const [current, setCurrent] = useState('');
  const [saved, setSaved] = useState(false);
  if (own === null || own.id === null) return <p class="quiet">{t.noAccount}</p>;
  const asked = own.hasPassword && own.via !== 'one-time-key';
  const save = async () => {
    setSaved(false);
    const done = await act(async () => {
      await api.changeAccount({
        ...(name.trim() === own.name ? {} : { name: name.trim() }),
        ...(password === '' ? {} : { password, ...(asked ? { current } : {}) }),
      });
      await refreshAccount();
      return true;
    });
    if (done !== true) return;
    setSaved(true);
    setPassword('');
    setCurrent('');
  };
  return (
    <form
      class="stack lone"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <h2>{t.account}</h2>
      <p class="small quiet">{t.roleIs(roleWords()[own.role], roleHelp()[own.role])}</p>
      <TextInput id="account-name" label={t.name} value={name} onInput={setName} autocomplete="username" />
      {asked && (
        <TextInput
          id="account-current"
          label={t.current}
          value={current}
          onInput={setCurrent}
          type="password"
          autocomplete="current-password"
        />
      )}
      <TextInput
        id="account-password"
        label={own.hasPassword ? t.newPassword : t.password}
        value={password}
        onInput={setPassword}
        type="password"
        autocomplete="new-password"
        help={t.passwordHelp}
      />
      <div class="row">
        <button type="submit" class="button primary" data-testid="account-save">
          {t.save}
        </button>
        <span role="status" data-testid="account-saved">
          {saved ? t.saved : ''}
        </span>
      </div>
    </form>
  );
}

function RoleSelect({
  value,
  label,
  testId,
  onChange,
}: {
  value: Role;
  label: string;
  testId: string;
  onChange: (role: Role) => void;
}) {
  return (
    <select
      class="input narrow"
      aria-label={label}
      data-testid={testId}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value as Role)}
    >
      {roles.map((role) => (
        <option key={role} value={role}>
          {roleWords()[role]}
        </option>
      ))}
    </select>
  );
}

function Admins() {
  const t = accessText();
  const [admins, reload] = useList<Admin>(api.fetchAdmins);
  const [invitations, reloadInvitations] = useList<AdminInvitation>(api.fetchInvitations);
  const [role, setRole] = useState<Role>('viewer');
  const [made, setMade] = useState<NewAdminInvitation | null>(null);
  const [removing, setRemoving] = useState<Admin | null>(null);
  return (
    <section class="stack">
      <h2>{t.admins}</h2>
      <List
        label={t.admins}
        testId="admins"
        rows={admins}
        keyOf={({ id }) => id}
        columns={[
          { name: t.name, heading: true, cell: ({ name }) => name },
          {
            name: t.role,
            cell: (admin) => (
              <RoleSelect
                value={admin.role}
                label={`${t.role}: ${admin.name}`}
                testId={`role-${admin.id}`}
                onChange={(next) => reload(() => api.changeRole(admin.id, next))}
              />
            ),
          },
          { name: t.since, cell: ({ createdAt }) => formatDateTime(createdAt) },
          {
            name: t.remove,
            cell: (admin) => (
              <button type="button" class="button small danger" onClick={() => setRemoving(admin)}>
                {t.remove}
              </button>
            ),
          },
        ]}
      />
      <div class="row">
        <span>{t.inviteAs}</span>
        <RoleSelect value={role} label={t.inviteAs} testId="invite-role" onChange={setRole} />
        <button
          type="button"
          class="button"
          data-testid="invite"
          onClick={() =>
            reloadInvitations(async () => {
              setMade(await api.invite(role));
            })
          }
        >
          {t.invite}
        </button>
      </div>
      <p class="small quiet">{t.roleIs(roleWords()[role], roleHelp()[role])}</p>
      {made !== null && <Shown text={t.inviteLink} value={made.link} testId="invite-link" />}
      <List
        label={t.pending}
        caption={t.pending}
        rows={invitations}
        keyOf={({ id }) => id}
        columns={[
          { name: t.role, cell: (one) => roleWords()[one.role] },
          { name: t.by, cell: ({ by }) => by },
          { name: t.until, cell: ({ expiresAt }) => formatDateTime(expiresAt) },
          {
            name: t.withdraw,
            cell: ({ id }) => (
              <button
                type="button"
                class="button small"
                onClick={() => reloadInvitations(() => api.withdraw(id))}
              >
                {t.withdraw}
              </button>
            ),
          },
        ]}
      />
      <Confirm
        open={removing !== null}
        title={t.removeTitle(removing?.name ?? '')}
        action={t.remove}
        danger
        onConfirm={() => {
          if (removing !== null) reload(() => api.removeAdmin(removing.id));
          setRemoving(null);
        }}
        onCancel={() => setRemoving(null)}
      >
        <p>{t.removeText}</p>
      </Confirm>
    </section>
  );
}

function Tokens() {
  const t = accessText();
  const [tokens, reload] = useList<ApiToken>(api.fetchTokens);
  const [name, setName] = useState('');
  const [days, setDays] = useState('90');
  const [chosen, setChosen] = useState<readonly Scope[]>(['metrics:read']);
  const [made, setMade] = useState<NewApiToken | null>(null);
  return (
    <section class="stack">
      <h2>{t.tokens}</h2>
      {tokens.length === 0 && <p class="quiet">{t.noTokens}</p>}
      <List
        label={t.tokens}
        rows={tokens}
        keyOf={({ id }) => id}
        columns={[
          { name: t.name, heading: true, cell: (token) => token.name },
          { name: t.scopes, cell: (token) => token.scopes.join(', ') },
          { name: t.by, cell: ({ by }) => by },
          {
            name: t.used,
            cell: ({ lastUsedAt }) => (lastUsedAt === null ? t.never : formatDateTime(lastUsedAt)),
          },
          {
            name: t.until,
            cell: ({ expiresAt }) => (expiresAt === null ? '–' : formatDateTime(expiresAt)),
          },
          {
            name: t.revoke,
            cell: ({ id }) => (
              <button
                type="button"
                class="button small danger"
                onClick={() => reload(() => api.revokeToken(id))}
              >
                {t.revoke}
              </button>
            ),
          },
        ]}
      />
      <form
        class="stack lone"
        onSubmit={(event) => {
          event.preventDefault();
          reload(async () => {
            setMade(
              await api.makeToken({
                name: name.trim(),
                scopes: [...chosen],
                days: days.trim() === '' ? null : Number(days),
              }),
            );
            setName('');
          });
        }}
      >
        <TextInput id="token-name" label={t.name} value={name} onInput={setName} />
        <fieldset class="plan-group">
          <legend>{t.scopes}</legend>
          <div class="row">
            {tokenScopes.map((scope) => (
              <label key={scope} class="row tight-row">
                <input
                  type="checkbox"
                  checked={chosen.includes(scope)}
                  onChange={(event) =>
                    setChosen(
                      event.currentTarget.checked
                        ? [...chosen, scope]
                        : chosen.filter((one) => one !== scope),
                    )
                  }
                />
                <code>{scope}</code>
              </label>
            ))}
          </div>
        </fieldset>
        <TextInput id="token-days" label={t.days} value={days} onInput={setDays} />
        <div class="row">
          <button
            type="submit"
            class="button"
            data-testid="token-make"
            disabled={name.trim() === '' || chosen.length === 0}
          >
            {t.makeToken}
          </button>
        </div>
      </form>
      {made !== null && <Shown text={t.tokenShown} value={made.token} testId="token-shown" />}
    </section>
  );
}

function Sessions() {
  const t = accessText();
  const [sessions, reload] = useList<AdminSession>(api.fetchSessions);
  return (
    <section class="stack">
      <h2>{t.sessions}</h2>
      <List
        label={t.sessions}
        testId="sessions"
        rows={sessions}
        keyOf={({ id }) => id}
        columns={[
          { name: t.who, heading: true, cell: (session) => session.name },
          { name: t.how, cell: ({ via }) => viaWords()[via] },
          { name: t.from, cell: ({ address, agent }) => <span title={agent}>{address}</span> },
          { name: t.used, cell: ({ lastUsedAt }) => formatDateTime(lastUsedAt) },
          { name: t.until, cell: ({ expiresAt }) => formatDateTime(expiresAt) },
          {
            name: t.end,
            cell: ({ id, own }) =>
              own ? (
                t.thisOne
              ) : (
                <button
                  type="button"
                  class="button small danger"
                  onClick={() => reload(() => api.revokeSession(id))}
                >
                  {t.end}
                </button>
              ),
          },
        ]}
      />
    </section>
  );
}

function Audit() {
  const t = accessText();
  const [entries, setEntries] = useState<readonly AuditEntry[]>([]);
  const [action, setAction] = useState('');
  const [who, setWho] = useState('');
  const [admins] = useList<Admin>(api.fetchAdmins);
  useEffect(() => {
    void act(() => api.fetchAudit({ action, admin: who })).then((found) => setEntries(found ?? []));
  }, [action, who]);
  const earlier = () =>
    void act(() => api.fetchAudit({ action, admin: who, before: entries.at(-1)?.id ?? 0 })).then((found) =>
      setEntries([...entries, ...(found ?? [])]),
    );
  return (
    <section class="stack">
      <div class="row between">
        <h2>{t.audit}</h2>
        <label class="row tight-row small">
          {t.who}
          <select
            class="input narrow"
            data-testid="audit-who"
            value={who}
            onChange={(event) => setWho(event.currentTarget.value)}
          >
            <option value="">{t.all}</option>
            {admins.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label class="row tight-row small">
          {t.action}
          <select
            class="input narrow"
            value={action}
            onChange={(event) => setAction(event.currentTarget.value)}
          >
            <option value="">{t.all}</option>
            {auditActions.map((one) => (
              <option key={one} value={one}>
                {actionWords()[one]}
              </option>
            ))}
          </select>
        </label>
      </div>
      {entries.length === 0 && <p class="quiet">{t.nothing}</p>}
      <List
        label={t.audit}
        testId="audit"
        low
        rows={entries}
        keyOf={({ id }) => id}
        columns={[
          { name: t.when, cell: ({ at }) => formatDateTime(at) },
          { name: t.who, cell: (entry) => entry.name },
          { name: t.action, cell: (entry) => actionWords()[entry.action as AuditAction] ?? entry.action },
          { name: t.target, cell: ({ target, detail }) => [target, detail].filter(Boolean).join(' · ') },
          { name: t.from, cell: ({ address }) => address },
        ]}
      />
      {entries.length > 0 && entries.length % 100 === 0 && (
        <p>
          <button type="button" class="button small" onClick={earlier}>
            {t.more}
          </button>
        </p>
      )}
    </section>
  );
}
