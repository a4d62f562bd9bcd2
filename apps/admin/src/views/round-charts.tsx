import {
  classesOf,
  hasScaledTarget,
  type Metrics,
  type Round,
  type TaskInfo,
  targetError,
  targetUnit,
} from '@coppice/protocol';
import {
  catalogue,
  formatBytes,
  formatNumber,
  formatShare,
  type Line,
  LineChart,
  language,
  StackedBars,
} from '@coppice/ui';
import { useMemo } from 'preact/hooks';
import { lossScale, smoothing } from '../shell/settings.ts';
import { formatError, formatLoss, formatMilliseconds, phaseWords, roundPhases } from '../words.ts';
import { MetricCharts } from './metric-charts.tsx';
import { text as shared } from './texts.ts';

const text = catalogue(
  {
    title: 'Curves',
    smoothing: 'Smoothing',
    off: 'off',
    accepted: 'accepted',
    refused: 'refused',
    missing: 'did not return',
    up: 'from participants',
    down: 'to participants',
    waiting: 'The first point appears when the first round is committed.',
  },
  {
    title: '曲线',
    smoothing: '平滑',
    off: '关',
    accepted: '已接受',
    refused: '被拒绝',
    missing: '未交回',
    up: '来自参与者',
    down: '发给参与者',
    waiting: '第一轮提交后出现第一个点。',
  },
);

const shareOf = (value: number) => formatShare(value);
const countOf = (value: number) => formatNumber(value, { maximumFractionDigits: 1 });

/**
 * Loss, accuracy (of a regression: the error in the target's unit), cohort, time and traffic, the task's own measures, round by round. `task`:
 * `null` until the task is known.
 */
export function RoundCharts({
  run,
  rounds,
  task,
}: {
  run: string;
  rounds: readonly Round[];
  task: Pick<TaskInfo, 'data' | 'loss' | 'metrics'> | null;
}) {
  const t = text();
  const words = shared();
  const inLanguage = language.value;
  const done = useMemo(() => rounds.filter(({ outcome }) => outcome === 'committed'), [rounds]);
  const data = task?.data ?? null;
  const regression = task !== null && classesOf(task.data) === null ? task : null;
  const accuracy = useMemo(() => metricLines(done, 'accuracy'), [done, inLanguage]);
  const errors = useMemo(
    () => (regression === null ? [] : errorLines(done, regression)),
    [done, inLanguage, regression],
  );
  const loss = useMemo(
    () => [
      ...metricLines(done, 'loss'),
      {
        id: 'training',
        label: shared().trainingLoss,
        points: done.map(({ round, trainingLoss }) => ({ x: round, y: trainingLoss })),
        slot: 2,
      },
    ],
    [done, inLanguage],
  );
  const unit = regression === null ? undefined : targetUnit(regression.data);
  const errorOf = useMemo(() => (value: number) => formatError(value, unit), [unit, inLanguage]);
  const where = (x: number | string) => words.inRound(typeof x === 'number' ? formatNumber(x) : x);
  const common = { xName: words.round, where, empty: t.waiting };
  return (
    <section class="stack">
      <div class="row between">
        <h2>{t.title}</h2>
        <Smoothing />
      </div>
      <div class="charts">
        {regression === null ? (
          <LineChart
            {...common}
            name={`${run}-accuracy`}
            title={words.accuracy}
            testId="accuracy-chart"
            lines={accuracy}
            format={shareOf}
            better="high"
            bounds={[0, 1]}
            smoothing={smoothing.value}
            syncKey="rounds"
          />
        ) : (
          <LineChart
            {...common}
            name={`${run}-error`}
            title={words.typicalError}
            testId="error-chart"
            lines={errors}
            format={errorOf}
            better="low"
            smoothing={smoothing.value}
            syncKey="rounds"
          />
        )}
        <LineChart
          {...common}
          name={`${run}-loss`}
          title={data !== null && hasScaledTarget(data) ? words.scaledLoss : words.loss}
          testId="loss-chart"
          lines={loss}
          format={formatLoss}
          better="low"
          smoothing={smoothing.value}
          scale={lossScale.value}
          onScale={(scale) => {
            lossScale.value = scale;
          }}
          syncKey="rounds"
        />
      </div>
      {task !== null && <MetricCharts run={run} done={done} task={task} />}
      <div class="charts small-charts">
        <StackedBars
          {...common}
          name={`${run}-cohort`}
          title={words.cohort}
          testId="cohort-chart"
          segments={[
            { id: 'accepted', label: t.accepted, slot: 0 },
            { id: 'refused', label: t.refused, slot: 1 },
            { id: 'missing', label: t.missing, slot: 6 },
          ]}
          bars={done.map(({ round, asked, accepted, refused }) => ({
            x: round,
            values: [accepted, refused, Math.max(0, asked - accepted - refused)],
          }))}
          format={countOf}
        />
        <StackedBars
          {...common}
          name={`${run}-phases`}
          title={words.phases}
          testId="phases-chart"
          segments={roundPhases.map((phase, slot) => ({ id: phase, label: phaseWords()[phase], slot }))}
          bars={done.map(({ round, phases }) => ({
            x: round,
            values: roundPhases.map((phase) => phases[phase] ?? 0),
          }))}
          format={formatMilliseconds}
        />
        <StackedBars
          {...common}
          name={`${run}-traffic`}
          title={words.traffic}
          testId="traffic-chart"
          segments={[
            { id: 'up', label: t.up, slot: 0 },
            { id: 'down', label: t.down, slot: 2 },
          ]}
          bars={done.map(({ round, bytesUp, bytesDown }) => ({ x: round, values: [bytesUp, bytesDown] }))}
          format={formatBytes}
        />
      </div>
    </section>
  );
}

function metricLines(done: readonly Round[], what: 'accuracy' | 'loss'): Line[] {
  return linesOf(done, what, (metrics) => metrics?.[what] ?? null);
}

/** The typical error in the target's unit. The median error is that of the median loss: the one grows with the other. */
function errorLines(done: readonly Round[], task: Pick<TaskInfo, 'data' | 'loss'>): Line[] {
  return linesOf(done, 'loss', (metrics) => targetError(metrics, task));
}

function linesOf(
  done: readonly Round[],
  what: 'accuracy' | 'loss',
  read: (metrics: Pick<Metrics, 'accuracy' | 'loss' | 'values'> | null) => number | null,
): Line[] {
  const of = (which: 'central' | 'federated') =>
    done.map((round) => ({ x: round.round, y: read(round[which]) }));
  const median = done.map(({ round, spread }) => {
    const middle = spread?.[what]?.median ?? null;
    return { x: round, y: middle === null ? null : read({ accuracy: null, loss: null, [what]: middle }) };
  });
  return [
    { id: 'central', label: shared().central, points: of('central'), slot: 0 },
    { id: 'federated', label: shared().federated, points: of('federated'), slot: 1 },
    // Runs of few participants have none.
    ...(median.some(({ y }) => y !== null)
      ? [{ id: 'median', label: shared().median, points: median, slot: 3 }]
      : []),
  ];
}

/** The strength of smoothing, for all line charts of the page. */
export function Smoothing() {
  const t = text();
  return (
    <label class="row tight-row small smoothing">
      {t.smoothing}
      <input
        type="range"
        min="0"
        max="1"
        step="0.05"
        value={smoothing.value}
        onInput={(event) => {
          smoothing.value = Number(event.currentTarget.value);
        }}
      />
      <output class="figure">{smoothing.value === 0 ? t.off : formatShare(smoothing.value, 0)}</output>
    </label>
  );
}
