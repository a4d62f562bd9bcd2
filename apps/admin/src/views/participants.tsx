import type { ParticipantRow } from '@coppice/protocol';
import { formatBytes, formatNumber, formatShare, formatTime } from '@coppice/ui';
import { oneOf, setting } from '../shell/settings.ts';
import { deviceWords, shortId, stateWords } from '../words.ts';
import { Scroll } from './parts.tsx';
import { text } from './texts.ts';

const states = ['training', 'delivered', 'ready', 'paused', 'away', 'left'] as const;
const shown = setting('participants-state', 'all', oneOf('all', ...states));
const order = setting('participants-order', 'state', oneOf('state', 'speed', 'delivered', 'seen'));

const orders: Record<typeof order.value, (a: ParticipantRow, b: ParticipantRow) => number> = {
  state: (a, b) => states.indexOf(a.state) - states.indexOf(b.state),
  speed: (a, b) => (b.speed ?? 0) - (a.speed ?? 0),
  delivered: (a, b) => b.roundsDelivered - a.roundsDelivered,
  seen: (a, b) => b.lastSeenAt - a.lastSeenAt,
};
/** More rows than anyone reads; the rest is counted. */
const MOST = 200;

export function Participants({ rows }: { rows: readonly ParticipantRow[] }) {
  const t = text();
  const fitting = rows
    .filter(({ state }) => shown.value === 'all' || state === shown.value)
    .toSorted((a, b) => orders[order.value](a, b) || (a.id < b.id ? -1 : 1));
  const labels = { state: t.state, speed: t.speed, delivered: t.delivered, seen: t.seen };
  return (
    <section class="stack">
      <h2>{t.participants}</h2>
      <div class="row">
        <label class="row small">
          {t.filter}
          <select
            class="input narrow"
            value={shown.value}
            onChange={(event) => {
              shown.value = event.currentTarget.value as typeof shown.value;
            }}
          >
            <option value="all">{t.all}</option>
            {states.map((one) => (
              <option key={one} value={one}>
                {stateWords()[one]}
              </option>
            ))}
          </select>
        </label>
        <label class="row small">
          {t.sort}
          <select
            class="input narrow"
            value={order.value}
            onChange={(event) => {
              order.value = event.currentTarget.value as typeof order.value;
            }}
          >
            {Object.entries(labels).map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <span class="small quiet">
          {fitting.length} / {rows.length}
        </span>
      </div>
      <Scroll label={t.participants} testId="participants-table">
        <table>
          <thead>
            <tr>
              {[
                t.who,
                t.state,
                t.device,
                t.backend,
                t.examples,
                t.speed,
                t.progress,
                t.delivered,
                t.missed,
                t.up,
                t.down,
                t.seen,
                t.error,
              ].map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {fitting.slice(0, MOST).map((row) => (
              <tr key={row.id}>
                <th scope="row" class="mono">
                  {shortId(row.id)}
                </th>
                <td>{stateWords()[row.state]}</td>
                <td>{deviceWords()[row.device]}</td>
                <td>{row.backend}</td>
                <td>{row.examplesAtLeast === 0 ? '0' : t.atLeast(formatNumber(row.examplesAtLeast))}</td>
                <td>{row.speed === null ? '–' : formatNumber(row.speed, { maximumFractionDigits: 0 })}</td>
                <td>{row.progress === null ? '–' : formatShare(row.progress, 0)}</td>
                <td>{row.roundsDelivered}</td>
                <td>{row.roundsMissed}</td>
                <td>{formatBytes(row.bytesUp)}</td>
                <td>{formatBytes(row.bytesDown)}</td>
                <td>{formatTime(row.lastSeenAt)}</td>
                <td>
                  {row.lastError === null ? (
                    '–'
                  ) : (
                    <code title={row.lastError.message}>{row.lastError.code}</code>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}
