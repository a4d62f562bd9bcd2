import type { Run } from '@coppice/protocol';
import { formatDateTime, formatNumber, formatShare, localized, Sparkline } from '@coppice/ui';
import { useEffect } from 'preact/hooks';
import { may, runs, state, wantRounds } from '../live/live.ts';
import { writeRoute } from '../shell/route.ts';
import { formatLoss, phaseWords, statusTones, statusWords } from '../words.ts';
import { Scroll } from './parts.tsx';
import { text } from './texts.ts';

/** Accuracy of the newest model, or its loss for a regression. */
function measured({ central }: Run): string {
  if (central?.accuracy != null) return formatShare(central.accuracy);
  return central?.loss == null ? '–' : `${text().loss} ${formatLoss(central.loss)}`;
}

/** All runs, newest first. */
export function RunsView() {
  const t = text();
  const all = runs.value;
  const ids = all
    .slice(0, 20)
    .map(({ id }) => id)
    .join();
  // The newest get a sparkline; their history is fetched once.
  useEffect(() => {
    for (const id of ids.split(',').filter(Boolean)) wantRounds(id);
  }, [ids]);
  if (all.length === 0) {
    return (
      <section class="stack lone">
        <h1>{t.noRuns}</h1>
        <p class="lead">{t.noRunsText}</p>
        {may('runs:write') && (
          <p>
            <a class="button primary" href={writeRoute({ view: 'launch', task: null, from: null })}>
              {t.launch}
            </a>
          </p>
        )}
      </section>
    );
  }
  return (
    <section class="stack">
      <h1>{t.runs}</h1>
      <Scroll label={t.runs}>
        <table class="runs-table">
          <thead>
            <tr>
              <th scope="col">{t.run}</th>
              <th scope="col" class="not-narrow">
                {t.status}
              </th>
              <th scope="col" class="not-narrow">
                {t.rounds}
              </th>
              <th scope="col">{t.accuracy}</th>
              <th scope="col" class="not-narrow">
                {t.phase}
              </th>
              <th scope="col" class="not-narrow">
                {t.participants}
              </th>
              <th scope="col" class="not-narrow">
                {t.created}
              </th>
            </tr>
          </thead>
          <tbody>
            {all.map((run) => {
              const points = (state.value.rounds.get(run.id) ?? [])
                .filter(({ outcome }) => outcome === 'committed')
                .map(({ round, central }) => ({
                  x: round,
                  y: (run.central?.accuracy == null ? central?.loss : central?.accuracy) ?? null,
                }));
              return (
                <tr key={run.id}>
                  <th scope="row">
                    <a href={writeRoute({ view: 'run', run: run.id })} data-testid={`run-${run.id}`}>
                      {localized(run.title)}
                    </a>{' '}
                    <span class="run-id small quiet">{run.id}</span>
                    <span class="only-narrow small quiet figure">
                      {statusWords()[run.status]}
                      {run.status === 'running' ? ` · ${phaseWords()[run.phase]}` : ''} ·{' '}
                      {formatNumber(run.round)} / {formatNumber(run.rounds)} · {t.participants}{' '}
                      {formatNumber(run.participants)}
                    </span>
                  </th>
                  <td class="not-narrow">
                    <span class={`badge ${statusTones[run.status]}`}>{statusWords()[run.status]}</span>
                  </td>
                  <td class="not-narrow">
                    {formatNumber(run.round)} / {formatNumber(run.rounds)}
                  </td>
                  <td>
                    <span class="row nowrap">
                      <span class="figure">{measured(run)}</span>
                      {points.length > 1 && <Sparkline points={points} />}
                    </span>
                  </td>
                  <td class="not-narrow">{phaseWords()[run.phase]}</td>
                  <td class="not-narrow">{formatNumber(run.participants)}</td>
                  <td class="not-narrow">{formatDateTime(run.createdAt)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}
