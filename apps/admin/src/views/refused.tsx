import type { Event } from '@coppice/protocol';
import { catalogue, formatNumber, formatTime } from '@coppice/ui';
import { Scroll } from './parts.tsx';
import { countByReason, detailOf, reasonOf, reasonWords, type Trouble } from './refusals.ts';
import { text as shared } from './texts.ts';

const text = catalogue(
  {
    title: 'Refused updates',
    none: 'None so far. Updates that are damaged, of the wrong shape, not finite, too late or too large are refused here, each by name; the round goes on without them.',
    when: 'When',
    reason: 'Reason',
    said: 'What the coordinator said',
    times: (n: string) => `${n} ×`,
    more: (n: string) => `The newest ${n} are shown.`,
  },
  {
    title: '被拒绝的更新',
    none: '目前没有。损坏、形状不符、含非有限值、迟到或过大的更新会在此按原因列出；该轮继续进行，不受影响。',
    when: '时间',
    reason: '原因',
    said: '协调器的说明',
    times: (n) => `${n} 次`,
    more: (n) => `仅显示最新 ${n} 条。`,
  },
);

const MOST = 30;

/** Refused updates and declined trainings: counts by reason. */
export function Refused({ events }: { events: readonly Event[] }) {
  const t = text();
  const troubles = events.flatMap((event): Trouble[] => {
    const reason = reasonOf(event);
    return reason === null ? [] : [{ event, reason }];
  });
  return (
    <section class="stack">
      <h2>{t.title}</h2>
      {troubles.length === 0 ? (
        <p class="quiet small">{t.none}</p>
      ) : (
        <>
          <ul class="reasons">
            {countByReason(troubles).map(({ reason, count }) => (
              <li key={reason}>
                <strong class="figure">{t.times(formatNumber(count))}</strong>{' '}
                {reasonWords()[reason] ?? reason} <code class="quiet">{reason}</code>
              </li>
            ))}
          </ul>
          <Scroll label={t.title} testId="refused-table" low>
            <table>
              <thead>
                <tr>
                  <th scope="col">{t.when}</th>
                  <th scope="col">{shared().round}</th>
                  <th scope="col">{t.reason}</th>
                  <th scope="col">{t.said}</th>
                </tr>
              </thead>
              <tbody>
                {troubles
                  .slice(-MOST)
                  .reverse()
                  .map(({ event, reason }) => (
                    <tr key={event.id}>
                      <td>{formatTime(event.at)}</td>
                      <td>{event.round ?? '–'}</td>
                      <td>{reasonWords()[reason] ?? reason}</td>
                      <td class="said">{detailOf(event)}</td>
                    </tr>
                  ))}
              </tbody>
            </table>
          </Scroll>
          {troubles.length > MOST && <p class="small quiet">{t.more(formatNumber(MOST))}</p>}
        </>
      )}
    </section>
  );
}
