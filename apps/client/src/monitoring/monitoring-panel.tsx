import type { WatchInfo } from '@coppice/protocol';
import { localized } from '@coppice/ui';
import { ErrorCard } from '../errors/error-card.tsx';
import { away, session } from '../link/session.ts';
import { chosenTask } from '../run/run.ts';
import { agreeToMonitoring, monitoringConsent, withdrawMonitoring } from './consent.ts';
import { monitoringRows, monitoringStatements, monitoringText } from './statements.ts';
import { watchInfo } from './watch.ts';

/** Consent to reports on the chosen task, and what was counted and reported since. */
export function MonitoringPanel() {
  const t = monitoringText();
  const task = chosenTask.value;
  const info = watchInfo.value;
  if (task === null || info === null || info.consent === null) return null;
  const consent = monitoringConsent(task.id);
  const current = consent?.version === info.consent ? consent : null;
  const agree = (keepInputs: boolean) =>
    agreeToMonitoring(task.id, {
      version: info.consent as string,
      keepInputs,
      agreedAt: Date.now(),
      statements: [
        localized(task.title),
        ...monitoringStatements(info, task.data),
        ...(keepInputs ? [t.keep] : []),
      ],
    });
  return (
    <section class="sheet stack" aria-labelledby="monitoring-title" id="monitoring">
      <h2 id="monitoring-title">{t.title}</h2>
      <p class="small quiet">{t.lead}</p>
      <details class="fold" open={current === null}>
        <summary>{t.fold}</summary>
        <div class="privacy-label stack tight">
          <dl>
            {monitoringRows(info, task.data).map(([what, value]) => (
              <div key={what}>
                <dt>{what}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        </div>
      </details>
      {consent !== null && current === null && (
        <p class="note warn" role="status" data-testid="monitoring-changed">
          {t.changed}
        </p>
      )}
      <label class="choice consent">
        <input
          type="checkbox"
          data-testid="monitoring-consent"
          checked={current !== null}
          disabled={current === null && away.value}
          onChange={() => (current === null ? agree(false) : withdrawMonitoring(task.id))}
        />
        <span>{t.agree}</span>
      </label>
      {current !== null && (
        <label class="choice">
          <input
            type="checkbox"
            data-testid="monitoring-keep"
            checked={current.keepInputs}
            onChange={() => agree(!current.keepInputs)}
          />
          <span>{t.keep}</span>
        </label>
      )}
      {current !== null && <Reports task={task.id} info={info} />}
    </section>
  );
}

function Reports({ task, info }: { task: string; info: WatchInfo }) {
  const t = monitoringText();
  const now = session.monitored.value[task];
  const lines = {
    off: [],
    'no-release': [t.waiting],
    reference: [t.preparing],
    'budget-spent': [t.spent],
    reports: [
      t.counted(now?.observations ?? 0, now?.labelled ?? 0),
      now?.reported === null || now?.reported === undefined ? t.notYet : t.reported(now.reported),
    ],
  }[info.state];
  const error = now?.error ?? null;
  return (
    <div class="stack tight" role="status" data-testid="monitoring-state" data-state={info.state}>
      {lines.map((line) => (
        <p key={line} class="small quiet">
          {line}
        </p>
      ))}
      {error !== null && error.code !== 'connection-lost' && <ErrorCard error={error} />}
    </div>
  );
}
