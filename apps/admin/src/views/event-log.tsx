import { formatTime } from '@coppice/ui';
import { state } from '../live/live.ts';
import { oneOf, setting } from '../shell/settings.ts';
import { levelWords } from '../words.ts';
import { text } from './texts.ts';

const least = setting('event-level', 'info', oneOf('info', 'warning', 'error'));
const levels = ['info', 'warning', 'error'] as const;
const MOST = 200;

/** What happened, newest first. */
export function EventLog({ run }: { run: string }) {
  const t = text();
  const events = state.value.events
    .filter((event) => event.run === run && levels.indexOf(event.level) >= levels.indexOf(least.value))
    .slice(-MOST)
    .reverse();
  return (
    <section class="stack">
      <h2>{t.events}</h2>
      <label class="row small">
        {t.level}
        <select
          class="input narrow"
          value={least.value}
          onChange={(event) => {
            least.value = event.currentTarget.value as typeof least.value;
          }}
        >
          {levels.map((level) => (
            <option key={level} value={level}>
              {levelWords()[level]}
            </option>
          ))}
        </select>
      </label>
      {events.length === 0 && <p class="quiet">{t.noEvents}</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard. */}
      <ol class="events" data-testid="event-log" tabIndex={0} aria-label={t.events}>
        {events.map(({ id, at, level, message }) => (
          <li key={id} class={`event ${level}`}>
            <time class="figure quiet" dateTime={new Date(at).toISOString()}>
              {formatTime(at)}
            </time>
            {level !== 'info' && (
              <span class={`badge ${level === 'error' ? 'bad' : 'warn'}`}>{levelWords()[level]}</span>
            )}
            <span>{message}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}
