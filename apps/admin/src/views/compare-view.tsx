import type { Run } from '@coppice/protocol';
import { planFields } from '@coppice/protocol';
import { formatShare, LineChart, localized } from '@coppice/ui';
import { useEffect } from 'preact/hooks';
import { planDiff } from '../compare/plan-diff.ts';
import { runs, state, wantRounds } from '../live/live.ts';
import { amend } from '../shell/route.ts';
import { lossScale, smoothing } from '../shell/settings.ts';
import { formatLoss } from '../words.ts';
import { Scroll } from './parts.tsx';
import { text } from './texts.ts';

/** Several runs in one chart. Which ones stands in the address. */
export function CompareView({ chosen }: { chosen: readonly string[] }) {
  const t = text();
  const picked = chosen.join();
  useEffect(() => {
    for (const id of picked.split(',').filter(Boolean)) wantRounds(id);
  }, [picked]);
  const shown = runs.value.filter(({ id }) => chosen.includes(id));
  const committed = (id: string) =>
    (state.value.rounds.get(id) ?? []).filter(({ outcome }) => outcome === 'committed');
  const lines = (what: 'accuracy' | 'loss') =>
    shown.map((run, slot) => ({
      id: run.id,
      label: run.id,
      points: committed(run.id).map(({ round, central }) => ({ x: round, y: central?.[what] ?? null })),
      slot,
    }));
  return (
    <section class="stack">
      <h1>{t.compare}</h1>
      <p class="lead">{t.compareText}</p>
      <fieldset class="plan-group">
        <legend>{t.runs}</legend>
        <div class="row">
          {runs.value.map(({ id }) => (
            <label key={id} class="row small choice">
              <input
                type="checkbox"
                checked={chosen.includes(id)}
                onChange={(event) =>
                  amend({
                    view: 'compare',
                    runs: event.currentTarget.checked ? [...chosen, id] : chosen.filter((one) => one !== id),
                  })
                }
              />
              <span class="mono">{id}</span>
            </label>
          ))}
        </div>
      </fieldset>
      {shown.length > 0 && (
        <div class="charts">
          <LineChart
            name="compare-accuracy"
            title={t.accuracy}
            xName={t.round}
            lines={lines('accuracy')}
            format={(value) => formatShare(value)}
            better="high"
            bounds={[0, 1]}
            smoothing={smoothing.value}
            empty={t.empty}
            syncKey="compare"
            testId="compare-accuracy"
          />
          <LineChart
            name="compare-loss"
            title={t.loss}
            xName={t.round}
            lines={lines('loss')}
            format={formatLoss}
            better="low"
            smoothing={smoothing.value}
            scale={lossScale.value}
            empty={t.empty}
            syncKey="compare"
            onScale={(scale) => {
              lossScale.value = scale;
            }}
          />
        </div>
      )}
      {shown.length > 0 && (
        <Extremes
          shown={shown}
          accuracies={(id) => committed(id).flatMap(({ central }) => central?.accuracy ?? [])}
        />
      )}
      {shown.length > 1 && <Differences shown={shown} />}
    </section>
  );
}

function Extremes({ shown, accuracies }: { shown: readonly Run[]; accuracies: (id: string) => number[] }) {
  const t = text();
  return (
    <Scroll label={t.accuracy}>
      <table>
        <thead>
          <tr>
            {[t.run, `${t.accuracy}: ${t.lowest}`, t.last, t.best].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map(({ id }) => {
            const own = accuracies(id);
            const cell = (value: number | undefined) =>
              value === undefined || !Number.isFinite(value) ? '–' : formatShare(value);
            return (
              <tr key={id}>
                <th scope="row" class="mono">
                  {id}
                </th>
                <td>{cell(Math.min(...own))}</td>
                <td>{cell(own.at(-1))}</td>
                <td>{cell(Math.max(...own))}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Scroll>
  );
}

function Differences({ shown }: { shown: readonly Run[] }) {
  const t = text();
  const rows = planDiff(shown.map(({ plan }) => plan));
  return (
    <section class="stack">
      <h2>{t.differing}</h2>
      {rows.length === 0 && <p class="quiet">{t.same}</p>}
      {rows.length > 0 && (
        <Scroll label={t.differing}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t.field}</th>
                {shown.map(({ id }) => (
                  <th key={id} scope="col" class="mono">
                    {id}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(({ field, values }) => (
                <tr key={field}>
                  <th scope="row">{localized(planFields[field].label)}</th>
                  {values.map((value, at) => (
                    <td key={shown[at]?.id}>{value === null ? t.notSet : String(value)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </section>
  );
}
