import type { Admission, Ban, ListedParticipant } from '@coppice/protocol';
import { Confirm, formatDateTime } from '@coppice/ui';
import { useState } from 'preact/hooks';
import { banParticipant, type Invitation, liftBan } from '../live/admission-api.ts';
import { coordinatorNow, may } from '../live/live.ts';
import { shortId } from '../words.ts';
import {
  admissionHelp,
  admissionText,
  admissionWords,
  reportingHelp,
  reportingText,
} from './admission-texts.ts';
import { BanDialog } from './ban-dialog.tsx';
import { TextInput } from './fields.tsx';
import { List } from './list.tsx';
import { readIds } from './participant-ids.ts';
import { Shown } from './parts.tsx';
import { QrCode } from './qr-code.tsx';
import type { LiveAdmission } from './use-admission.ts';

const admissions = ['open', 'invited', 'listed'] as const;
/** Entries of a list that are shown at first. */
const FIRST = 10;

/**
 * Admission to a run, or to reporting for a task: its mode, its invitations, its list, and bans.
 *
 * @param admission the mode as far as it is known; null until it is.
 */
export function AdmissionSection({ admission, live }: { admission: Admission | null; live: LiveAdmission }) {
  const { info, run } = live;
  const title = run === null ? reportingText().title : admissionText().title;
  return (
    <section class="stack" aria-labelledby="admission-title" data-testid="admission">
      <h2 id="admission-title">{title}</h2>
      {admission !== null && <Choice admission={admission} live={live} title={title} />}
      {info !== null && (admission === 'invited' || info.invitations.length > 0) && (
        <Invitations admission={admission} live={live} invitations={info.invitations} />
      )}
      {info !== null && (admission !== 'open' || info.listed.length > 0) && (
        <Listed live={live} listed={info.listed} invitations={info.invitations} />
      )}
      {info !== null && (may('participants:write') || info.bans.length > 0) && (
        <Bans live={live} bans={info.bans} />
      )}
    </section>
  );
}

/** Choice of an admission mode, each with its consequence. `help`: left out, those of a run. */
export function AdmissionOptions({
  value,
  help = admissionHelp(),
  onChange,
}: {
  value: Admission;
  help?: Readonly<Record<Admission, string>>;
  onChange: (admission: Admission) => void;
}) {
  return (
    <div class="stack tight">
      {admissions.map((one) => (
        <label key={one} class="choice admission-option">
          <input
            type="radio"
            name="admission"
            data-testid={`admission-${one}`}
            checked={value === one}
            onChange={() => onChange(one)}
          />
          <span>
            <strong>{admissionWords()[one]}</strong> <span class="small quiet">{help[one]}</span>
          </span>
        </label>
      ))}
    </div>
  );
}

function Choice({ admission, live, title }: { admission: Admission; live: LiveAdmission; title: string }) {
  const t = admissionText();
  const isTask = live.run === null;
  const help = isTask ? reportingHelp() : admissionHelp();
  const [next, setNext] = useState<Admission | null>(null);
  const [keep, setKeep] = useState(true);
  if (!may('participants:write'))
    return (
      <p>
        <strong>{admissionWords()[admission]}</strong> <span class="small quiet">{help[admission]}</span>
      </p>
    );
  return (
    <fieldset class="bare">
      <legend class="visually-hidden">{title}</legend>
      <AdmissionOptions
        help={help}
        value={next ?? admission}
        onChange={(chosen) => setNext(chosen === admission ? null : chosen)}
      />
      <Confirm
        open={next !== null}
        title={t.changeTitle(admissionWords()[next ?? admission])}
        action={t.change}
        onConfirm={() => {
          if (next !== null) live.reload(() => live.api.change(next, keep));
          setNext(null);
        }}
        onCancel={() => setNext(null)}
      >
        {isTask ? (
          <p>{next === 'open' ? reportingText().opened : reportingText().closed}</p>
        ) : next === 'open' ? (
          <p>{t.opened}</p>
        ) : (
          <>
            <label class="choice">
              <input
                type="checkbox"
                checked={keep}
                onChange={(event) => setKeep(event.currentTarget.checked)}
              />
              <span>{t.keep}</span>
            </label>
            {!keep && <p>{t.notKept}</p>}
            {admission === 'open' && <p class="small quiet">{t.closing}</p>}
          </>
        )}
      </Confirm>
    </fieldset>
  );
}

function Invitations({
  admission,
  live,
  invitations,
}: {
  admission: Admission | null;
  live: LiveAdmission;
  invitations: readonly Invitation[];
}) {
  const t = admissionText();
  const [revoking, setRevoking] = useState<Invitation | null>(null);
  const [remove, setRemove] = useState(false);
  return (
    <div class="stack">
      <h3>{t.invitations}</h3>
      {invitations.length === 0 && <p class="quiet">{t.noInvitations}</p>}
      <List
        label={t.invitations}
        testId="invitations"
        rows={invitations}
        keyOf={({ id }) => id}
        columns={[
          { name: t.name, heading: true, class: 'said', cell: ({ label }) => label || '–' },
          { name: t.used, end: true, cell: ({ uses, maxUses }) => t.usedOf(uses, maxUses) },
          {
            name: t.until,
            cell: ({ expiresAt }) => (expiresAt === null ? t.unlimited : formatDateTime(expiresAt)),
          },
          { name: t.state, cell: (one) => t[stateOf(one)] },
          { name: t.by, cell: ({ by }) => by },
          may('participants:write') && {
            name: t.revoke,
            cell: (one) =>
              (one.revokedAt === null || one.uses > 0) && (
                <button
                  type="button"
                  class="button small danger"
                  onClick={() => {
                    setRemove(one.revokedAt !== null);
                    setRevoking(one);
                  }}
                >
                  {t.revoke}
                </button>
              ),
          },
        ]}
      />
      {may('participants:write') && admission === 'invited' && <Invite live={live} />}
      <Confirm
        open={revoking !== null}
        title={t.revokeTitle}
        action={t.revoke}
        danger
        onConfirm={() => {
          if (revoking !== null) live.reload(() => live.api.revoke(revoking.id, remove));
          setRevoking(null);
        }}
        onCancel={() => setRevoking(null)}
      >
        <p>{t.revokeText}</p>
        {(revoking?.uses ?? 0) > 0 && (
          <label class="choice">
            <input
              type="checkbox"
              checked={remove}
              onChange={(event) => setRemove(event.currentTarget.checked)}
            />
            <span>{t.revokeCame(revoking?.uses ?? 0)}</span>
          </label>
        )}
      </Confirm>
    </div>
  );
}

function stateOf({ revokedAt, expiresAt, uses, maxUses }: Invitation) {
  if (revokedAt !== null) return 'revoked';
  if (expiresAt !== null && expiresAt <= coordinatorNow()) return 'expired';
  return maxUses !== null && uses >= maxUses ? 'usedUp' : 'valid';
}

function Invite({ live }: { live: LiveAdmission }) {
  const t = admissionText();
  const [label, setLabel] = useState('');
  const [days, setDays] = useState('7');
  const [uses, setUses] = useState('');
  const [made, setMade] = useState<string | null>(null);
  const whole = (text: string) => (text.trim() === '' ? null : Number(text));
  const wrong = [days, uses].some((text) => text.trim() !== '' && !/^[1-9]\d*$/.test(text.trim()));
  return (
    <>
      <form
        class="form-line"
        onSubmit={(event) => {
          event.preventDefault();
          live.reload(async () => {
            setMade(
              await live.api.invite({
                label: label.trim(),
                days: whole(days),
                uses: whole(uses),
              }),
            );
            setLabel('');
          });
        }}
      >
        <TextInput id="invitation-label" label={t.label} value={label} onInput={setLabel} />
        <TextInput id="invitation-days" label={t.days} value={days} onInput={setDays} />
        <TextInput id="invitation-uses" label={t.uses} value={uses} onInput={setUses} />
        <button type="submit" class="button" data-testid="invite-participants" disabled={wrong}>
          {t.make}
        </button>
      </form>
      {made !== null && (
        <Shown
          text={live.run === null ? reportingText().shown : t.shown}
          value={made}
          testId="invitation-link"
        >
          {live.run !== null && <QrCode value={made} label={t.qr} />}
        </Shown>
      )}
    </>
  );
}

function Listed({
  live,
  listed,
  invitations,
}: {
  live: LiveAdmission;
  listed: readonly ListedParticipant[];
  invitations: readonly Invitation[];
}) {
  const t = admissionText();
  const [whole, setWhole] = useState(false);
  const [removing, setRemoving] = useState<ListedParticipant | null>(null);
  const labels = new Map(invitations.map(({ id, label }) => [id, label]));
  const how = ({ invitation, by }: ListedParticipant) =>
    invitation === null ? `${t.byHand} (${by})` : t.byInvitation(labels.get(invitation) ?? '');
  return (
    <div class="stack">
      <h3>{t.list}</h3>
      {listed.length === 0 && <p class="quiet">{t.noneListed}</p>}
      <List
        label={t.list}
        testId="listed"
        rows={whole ? listed : listed.slice(0, FIRST)}
        keyOf={({ participant }) => participant}
        columns={[
          { name: t.participant, heading: true, class: 'mono', cell: ({ participant }) => participant },
          { name: t.came, class: 'said', cell: how },
          { name: t.noteShort, class: 'said', cell: ({ note }) => note || '–' },
          { name: t.since, cell: ({ createdAt }) => formatDateTime(createdAt) },
          may('participants:write') && {
            name: t.takeOff,
            cell: (one) => (
              <button type="button" class="button small danger" onClick={() => setRemoving(one)}>
                {t.takeOff}
              </button>
            ),
          },
        ]}
      />
      {!whole && listed.length > FIRST && (
        <p>
          <button type="button" class="button small" onClick={() => setWhole(true)}>
            {t.showAll(listed.length)}
          </button>
        </p>
      )}
      {may('participants:write') && <AddToList live={live} />}
      <Confirm
        open={removing !== null}
        title={t.takeOffTitle}
        action={t.takeOff}
        danger
        onConfirm={() => {
          if (removing !== null) live.reload(() => live.api.unlist(removing.participant));
          setRemoving(null);
        }}
        onCancel={() => setRemoving(null)}
      >
        <p class="mono">{removing?.participant}</p>
        <p>{live.run === null ? reportingText().takeOffText : t.takeOffText}</p>
      </Confirm>
    </div>
  );
}

function AddToList({ live }: { live: LiveAdmission }) {
  const t = admissionText();
  const [text, setText] = useState('');
  const [note, setNote] = useState('');
  const { ids, wrong } = readIds(text);
  return (
    <form
      class="form-line"
      onSubmit={(event) => {
        event.preventDefault();
        live.reload(async () => {
          await live.api.list({ participants: [...ids], note: note.trim() });
          setText('');
          setNote('');
        });
      }}
    >
      <div class="field wide">
        <label for="list-ids">{t.listedIds}</label>
        <textarea
          id="list-ids"
          class="input mono"
          data-testid="list-ids"
          rows={2}
          value={text}
          aria-describedby="list-ids-help"
          spellcheck={false}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <p class="help" id="list-ids-help" aria-live="polite">
          {wrong.length === 0 ? t.listedHelp : t.wrong(wrong.slice(0, 3).join(', '))}
        </p>
      </div>
      <TextInput id="list-note" label={t.note} value={note} onInput={setNote} />
      <button
        type="submit"
        class="button"
        data-testid="list-add"
        disabled={ids.length === 0 || wrong.length > 0}
      >
        {t.add(ids.length)}
      </button>
    </form>
  );
}

function Bans({ live, bans }: { live: LiveAdmission; bans: readonly Ban[] }) {
  const t = admissionText();
  const [text, setText] = useState('');
  const [banning, setBanning] = useState<string | null>(null);
  const { ids, wrong } = readIds(text);
  const [only] = ids;
  return (
    <div class="stack">
      {bans.length > 0 && <h3>{t.bans}</h3>}
      <List
        label={t.bans}
        testId="bans"
        rows={bans}
        keyOf={({ id }) => id}
        columns={[
          { name: t.participant, heading: true, class: 'mono', cell: ({ participant }) => participant },
          { name: t.from, cell: (ban) => (ban.run === null ? t.allRuns : t.thisRun) },
          { name: t.reasonShort, class: 'said', cell: ({ reason }) => reason || '–' },
          { name: t.bannedSince, cell: ({ createdAt }) => formatDateTime(createdAt) },
          { name: t.by, cell: ({ by }) => by },
          may('participants:write') && {
            name: t.lift,
            cell: ({ id, participant }) => (
              <button
                type="button"
                class="button small"
                aria-label={`${t.lift}: ${shortId(participant)}`}
                onClick={() => live.reload(() => liftBan(id))}
              >
                {t.lift}
              </button>
            ),
          },
        ]}
      />
      {may('participants:write') && (
        <details class="tiny">
          <summary>{t.banById}</summary>
          <form
            class="form-line"
            onSubmit={(event) => {
              event.preventDefault();
              if (only !== undefined) setBanning(only);
            }}
          >
            <TextInput id="ban-id" label={t.participant} value={text} onInput={setText} />
            <button
              type="submit"
              class="button danger"
              data-testid="ban-id-submit"
              disabled={ids.length !== 1 || wrong.length > 0}
            >
              {t.ban}
            </button>
          </form>
        </details>
      )}
      <BanDialog
        run={live.run}
        participant={banning}
        onClose={() => setBanning(null)}
        onBan={(ban) => {
          setText('');
          live.reload(() => banParticipant(ban));
        }}
      />
    </div>
  );
}
