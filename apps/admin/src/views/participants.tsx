import type { Ban, ParticipantRow } from '@coppice/protocol';
import { catalogue, formatBytes, formatNumber, formatShare, formatTime } from '@coppice/ui';
import { useState } from 'preact/hooks';
import { banParticipant, liftBan } from '../live/admission-api.ts';
import { may } from '../live/live.ts';
import { oneOf, setting } from '../shell/settings.ts';
import { deviceWords, shortId, stateWords } from '../words.ts';
import { admissionText } from './admission-texts.ts';
import { BanDialog } from './ban-dialog.tsx';
import { failureText } from './failure-text.ts';
import { type Order, orders, participantStates, sortParticipants } from './participants-order.ts';
import { Scroll } from './parts.tsx';
import { text as shared } from './texts.ts';
import type { LiveAdmission } from './use-admission.ts';

const text = catalogue(
  {
    none: 'Nobody yet. Participants appear here when they join, without names or addresses.',
    shown: (shown: string, all: string) => `${shown} of ${all}`,
    inState: 'In state',
    traffic: 'Up / down',
    most: (n: string) => `The first ${n} are shown; filter to see others.`,
  },
  {
    none: '还没有人。参与者加入后显示在此，不含姓名或地址。',
    shown: (shown, all) => `${all} 位中的 ${shown} 位`,
    inState: '状态',
    traffic: '上行 / 下行',
    most: (n) => `仅显示前 ${n} 位；可用筛选查看其他。`,
  },
);

const shown = setting('participants-state', 'all', oneOf('all', ...participantStates));
const order = setting('participants-order', 'state', oneOf(...orders));
const direction = setting('participants-direction', 'ascending', oneOf('ascending', 'descending'));
/** The most rows shown: more than anyone reads. */
const MOST = 200;

/** Participants of a run: activity, speed and last failure of each. */
export function Participants({
  run,
  rows,
  admission,
}: {
  run: string;
  rows: readonly ParticipantRow[];
  admission: LiveAdmission;
}) {
  const [banning, setBanning] = useState<string | null>(null);
  const bans = new Map(admission.info?.bans.map((ban) => [ban.participant, ban]));
  const steers = may('participants:write');
  const t = text();
  const words = shared();
  const fitting = rows.filter(({ state }) => shown.value === 'all' || state === shown.value);
  const sorted = sortParticipants(fitting, order.value, direction.value === 'descending');
  const columns: readonly (readonly [Order | null, string, number?])[] = [
    ['id', words.who],
    ['state', words.state],
    ['progress', words.progress],
    ['backend', words.device],
    ['examples', words.examples, 1],
    ['speed', words.speed, 1],
    ['delivered', words.delivered, 1],
    ['missed', words.missed, 1],
    ['bytes', t.traffic, 1],
    ['seen', words.seen, 1],
    [null, words.error],
    ...(steers ? [[null, admissionText().ban] as const] : []),
  ];
  return (
    <section class="stack">
      <div class="row between">
        <h2>{words.participants}</h2>
        {rows.length > 0 && (
          <label class="row tight-row small">
            {t.inState}
            <select
              class="input narrow"
              value={shown.value}
              onChange={(event) => {
                shown.value = event.currentTarget.value as typeof shown.value;
              }}
            >
              <option value="all">{words.all}</option>
              {participantStates.map((one) => (
                <option key={one} value={one}>
                  {stateWords()[one]}
                </option>
              ))}
            </select>
            <span class="quiet figure">
              {t.shown(formatNumber(fitting.length), formatNumber(rows.length))}
            </span>
          </label>
        )}
      </div>
      <Scroll label={words.participants} testId="participants-table">
        {rows.length === 0 ? (
          <p class="quiet empty">{t.none}</p>
        ) : (
          <table>
            <thead>
              <tr>
                {columns.map(([by, name, number]) => (
                  <th
                    key={name}
                    scope="col"
                    class={number === 1 ? 'end' : ''}
                    aria-sort={by !== null && by === order.value ? direction.value : undefined}
                  >
                    {by === null ? name : <SortButton by={by} name={name} />}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {sorted.slice(0, MOST).map((row) => (
                <Row
                  key={row.id}
                  row={row}
                  ban={bans.get(row.id) ?? null}
                  onBan={steers ? setBanning : null}
                  onLift={(ban) => admission.reload(() => liftBan(ban.id))}
                />
              ))}
            </tbody>
          </table>
        )}
      </Scroll>
      {sorted.length > MOST && <p class="small quiet">{t.most(formatNumber(MOST))}</p>}
      <BanDialog
        run={run}
        participant={banning}
        onClose={() => setBanning(null)}
        onBan={(ban) => admission.reload(() => banParticipant(ban))}
      />
    </section>
  );
}

function SortButton({ by, name }: { by: Order; name: string }) {
  const now = order.value === by;
  return (
    <button
      type="button"
      class="sort"
      onClick={() => {
        direction.value = now && direction.value === 'ascending' ? 'descending' : 'ascending';
        order.value = by;
      }}
    >
      {name}
      <span aria-hidden="true">{now ? (direction.value === 'ascending' ? ' ↑' : ' ↓') : ''}</span>
    </button>
  );
}

function Row({
  row,
  ban,
  onBan,
  onLift,
}: {
  row: ParticipantRow;
  ban: Ban | null;
  /** Null where the account may not ban. */
  onBan: ((participant: string) => void) | null;
  onLift: (ban: Ban) => void;
}) {
  const words = shared();
  const t = admissionText();
  return (
    <tr class={row.state === 'left' || row.state === 'away' ? 'gone' : ''}>
      <th scope="row" class="mono" title={row.id}>
        {shortId(row.id)}
      </th>
      <td>
        <span class={`state-dot state-${row.state}`} aria-hidden="true" /> {stateWords()[row.state]}
        {ban !== null && (
          <span class="badge bad" data-testid="banned" title={ban.reason}>
            {t.banned}
          </span>
        )}
      </td>
      <td>
        {row.progress === null ? (
          '–'
        ) : (
          <span class="row tight-row nowrap">
            <span class="meter" aria-hidden="true">
              <span style={{ width: `${row.progress * 100}%` }} />
            </span>
            {formatShare(row.progress, 0)}
          </span>
        )}
      </td>
      <td>
        {deviceWords()[row.device]} · {row.backend}
      </td>
      <td class="end">
        {row.examplesAtLeast === 0 ? '0' : words.atLeast(formatNumber(row.examplesAtLeast))}
      </td>
      <td class="end">
        {row.speed === null ? '–' : formatNumber(row.speed, { maximumSignificantDigits: 3 })}
      </td>
      <td class="end">{formatNumber(row.roundsDelivered)}</td>
      <td class="end">{formatNumber(row.roundsMissed)}</td>
      <td class="end">
        {formatBytes(row.bytesUp)} / {formatBytes(row.bytesDown)}
      </td>
      <td class="end">{formatTime(row.lastSeenAt)}</td>
      <td class="said">
        {row.lastError === null ? (
          '–'
        ) : (
          <details class="tiny">
            <summary>
              <code>{row.lastError.code}</code>
            </summary>
            {failureText(row.lastError)}
          </details>
        )}
      </td>
      {onBan !== null && (
        <td>
          {ban === null ? (
            <button
              type="button"
              class="button small danger"
              aria-label={`${t.ban}: ${shortId(row.id)}`}
              onClick={() => onBan(row.id)}
            >
              {t.ban}
            </button>
          ) : (
            <button
              type="button"
              class="button small"
              aria-label={`${t.lift}: ${shortId(row.id)}`}
              onClick={() => onLift(ban)}
            >
              {t.lift}
            </button>
          )}
        </td>
      )}
    </tr>
  );
}
