import { planFields, type Round, type Run } from '@coppice/protocol';
import {
  catalogue,
  extremes,
  formatBytes,
  formatNumber,
  formatShare,
  type Line,
  LineChart,
  localized,
  Swatch,
} from '@coppice/ui';
import { useEffect, useMemo } from 'preact/hooks';
import { planDiff } from '../compare/plan-diff.ts';
import { runs, state, wantRounds } from '../live/live.ts';
import { amend, writeRoute } from '../shell/route.ts';
import { lossScale, smoothing } from '../shell/settings.ts';
import { formatLoss, statusWords } from '../words.ts';
import { CopyButton, Scroll } from './parts.tsx';
import { planValue } from './plan-table.tsx';
import { Smoothing } from './round-charts.tsx';
import { text as shared } from './texts.ts';

const text = catalogue(
  {
    pick: 'Runs to compare',
    none: 'Tick two or more runs. The choice stands in the address, so the link can be sent to someone.',
    noRuns: 'There are no runs to compare yet.',
    link: 'Copy the link to this comparison',
    curves: 'Curves',
    figures: 'Last, lowest, best',
    lastAccuracy: 'Accuracy, last',
    lowestAccuracy: 'lowest',
    bestAccuracy: 'best',
    lastLoss: 'Loss, last',
    lowestLoss: 'lowest',
    round: (value: string, round: string) => `${value} (round ${round})`,
    traffic: 'Traffic',
    rounds: 'Rounds',
  },
  {
    pick: '要比较的训练',
    none: '请勾选两次或更多训练。选择保存在地址中，可把链接发给别人。',
    noRuns: '还没有可比较的训练。',
    link: '复制此比较的链接',
    curves: '曲线',
    figures: '最近、最低、最佳',
    lastAccuracy: '准确率（最近）',
    lowestAccuracy: '最低',
    bestAccuracy: '最高',
    lastLoss: '损失（最近）',
    lowestLoss: '最低',
    round: (value, round) => `${value}（第 ${round} 轮）`,
    traffic: '流量',
    rounds: '轮数',
  },
);

const shareOf = (value: number) => formatShare(value);

/** Several runs in one chart. The address names them. */
export function CompareView({ chosen }: { chosen: readonly string[] }) {
  const t = text();
  const words = shared();
  const picked = chosen.join();
  useEffect(() => {
    for (const id of picked.split(',').filter(Boolean)) wantRounds(id);
  }, [picked]);
  const byId = state.value.runs;
  // In the order in which they were picked, so that adding one leaves the others' colours alone.
  const shown = chosen.flatMap((id) => byId.get(id) ?? []);
  const all = state.value.rounds;
  const history = useMemo(
    () =>
      picked.split(',').map((id) => ({
        id,
        rounds: (all.get(id) ?? []).filter(({ outcome }) => outcome === 'committed'),
      })),
    [picked, all],
  );
  const accuracy = useMemo(() => linesOf(history, 'accuracy'), [history]);
  const loss = useMemo(() => linesOf(history, 'loss'), [history]);
  const where = (round: number) => words.inRound(formatNumber(round));
  const common = {
    xName: words.round,
    where,
    empty: words.empty,
    smoothing: smoothing.value,
    syncKey: 'compare',
  };
  return (
    <section class="stack compare">
      <h1>{words.compare}</h1>
      <Picker chosen={chosen} />
      {shown.length === 0 && <p class="quiet">{runs.value.length === 0 ? t.noRuns : t.none}</p>}
      {shown.length > 0 && (
        <>
          <div class="row between">
            <h2>{t.curves}</h2>
            <div class="row">
              <Smoothing />
              <CopyButton label={t.link} value={location.href} />
            </div>
          </div>
          <div class="charts">
            <LineChart
              {...common}
              name="compare-accuracy"
              testId="compare-accuracy"
              title={words.accuracy}
              lines={accuracy}
              format={shareOf}
              better="high"
              bounds={[0, 1]}
              height={280}
            />
            <LineChart
              {...common}
              name="compare-loss"
              testId="compare-loss"
              title={words.loss}
              lines={loss}
              format={formatLoss}
              better="low"
              scale={lossScale.value}
              onScale={(scale) => {
                lossScale.value = scale;
              }}
              height={280}
            />
          </div>
          <Extremes shown={shown} history={history} />
        </>
      )}
      {shown.length > 1 && <Differences shown={shown} />}
    </section>
  );
}

interface History {
  readonly id: string;
  readonly rounds: readonly Round[];
}

function pointsOf(rounds: readonly Round[], what: 'accuracy' | 'loss') {
  return rounds.map(({ round, central }) => ({ x: round, y: central?.[what] ?? null }));
}

function linesOf(history: readonly History[], what: 'accuracy' | 'loss'): Line[] {
  return history.map(({ id, rounds }, slot) => ({ id, label: id, points: pointsOf(rounds, what), slot }));
}

function Picker({ chosen }: { chosen: readonly string[] }) {
  const pick = (id: string, on: boolean) =>
    amend({ view: 'compare', runs: on ? [...chosen, id] : chosen.filter((one) => one !== id) });
  if (runs.value.length === 0) return null;
  return (
    <fieldset class="plan-group">
      <legend>{text().pick}</legend>
      <div class="picker">
        {runs.value.map((run) => (
          <label key={run.id} class="choice">
            <input
              type="checkbox"
              data-testid={`compare-${run.id}`}
              checked={chosen.includes(run.id)}
              onChange={(event) => pick(run.id, event.currentTarget.checked)}
            />
            {chosen.includes(run.id) && <Swatch slot={chosen.indexOf(run.id)} />}
            <span>
              {localized(run.title)} <span class="run-id small">{run.id}</span>{' '}
              <span class="small quiet">{statusWords()[run.status]}</span>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function Extremes({ shown, history }: { shown: readonly Run[]; history: readonly History[] }) {
  const t = text();
  const words = shared();
  const columns = [
    t.rounds,
    t.lastAccuracy,
    t.lowestAccuracy,
    t.bestAccuracy,
    t.lastLoss,
    t.lowestLoss,
    t.traffic,
  ];
  return (
    <section class="stack">
      <h2>{t.figures}</h2>
      <Scroll label={t.figures}>
        <table>
          <thead>
            <tr>
              <th scope="col">{words.run}</th>
              {columns.map((name, index) => (
                <th key={index} scope="col" class="end">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((run) => {
              const own = history.find(({ id }) => id === run.id)?.rounds ?? [];
              const accuracy = extremes(pointsOf(own, 'accuracy'));
              const loss = extremes(pointsOf(own, 'loss'));
              const at = ({ x, y }: { x: number; y: number }, format: (value: number) => string) =>
                t.round(format(y), formatNumber(x));
              return (
                <tr key={run.id}>
                  <th scope="row">
                    <a class="run-id" href={writeRoute({ view: 'run', run: run.id })}>
                      {run.id}
                    </a>
                  </th>
                  <td class="end">
                    {formatNumber(run.round)} / {formatNumber(run.rounds)}
                  </td>
                  <td class="end">{accuracy === null ? '–' : formatShare(accuracy.last.y)}</td>
                  <td class="end">{accuracy === null ? '–' : at(accuracy.min, shareOf)}</td>
                  <td class="end">{accuracy === null ? '–' : at(accuracy.max, shareOf)}</td>
                  <td class="end">{loss === null ? '–' : formatLoss(loss.last.y)}</td>
                  <td class="end">{loss === null ? '–' : at(loss.min, formatLoss)}</td>
                  <td class="end">
                    {formatBytes(own.reduce((sum, { bytesUp, bytesDown }) => sum + bytesUp + bytesDown, 0))}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

/** The fields in which the plans differ. */
function Differences({ shown }: { shown: readonly Run[] }) {
  const words = shared();
  const rows = planDiff(shown.map(({ plan }) => plan));
  return (
    <section class="stack">
      <h2>{words.differing}</h2>
      {rows.length === 0 && <p class="quiet">{words.same}</p>}
      {rows.length > 0 && (
        <Scroll label={words.differing} testId="plan-diff">
          <table>
            <thead>
              <tr>
                <th scope="col">{words.field}</th>
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
                  {values.map((value, index) => (
                    <td key={shown[index]?.id}>{planValue(field, value)}</td>
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
