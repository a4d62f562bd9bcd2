import type { Event } from '@coppice/protocol';
import { formatTime } from '@coppice/ui';
import { oneOf, setting } from '../shell/settings.ts';
import { levelWords } from '../words.ts';
import { eventText } from './event-text.ts';
import { text } from './texts.ts';

const least = setting('event-level', 'info', oneOf('info', 'warning', 'error'));
const levels = ['info', 'warning', 'error'] as const;
const MOST = 200;

/** Events, newest first. */
export function EventLog({ events }: { events: readonly Event[] }) {
  const t = text();
  const shown = events
    .filter(({ level }) => levels.indexOf(level) >= levels.indexOf(least.value))
    .slice(-MOST)
    .reverse();
  return (
    <section class="stack">
      <div class="row between">
        <h2>{t.events}</h2>
        <label class="row tight-row small">
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
      </div>
      {shown.length === 0 && <p class="quiet">{t.noEvents}</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard. */}
      <ol class="events" data-testid="event-log" tabIndex={0} aria-label={t.events}>
        {shown.map((event) => (
          <li key={event.id} class={`event ${event.level}`}>
            <time class="figure quiet" dateTime={new Date(event.at).toISOString()}>
              {formatTime(event.at)}
            </time>
            <span>
              {event.level !== 'info' && (
                <span class={`badge ${event.level === 'error' ? 'bad' : 'warn'}`}>
                  {levelWords()[event.level]}
                </span>
              )}{' '}
              {eventText(event)}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
