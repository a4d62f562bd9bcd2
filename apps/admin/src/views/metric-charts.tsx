import {
  classesOf,
  isErrorMetric,
  type MetricName,
  type Metrics,
  type MetricValues,
  type Round,
  type TaskInfo,
  targetColumns,
  targetUnit,
} from '@coppice/protocol';
import { catalogue, formatNumber, type Line, LineChart, language } from '@coppice/ui';
import { useMemo, useState } from 'preact/hooks';
import { smoothing } from '../shell/settings.ts';
import { formatError } from '../words.ts';
import { text as shared } from './texts.ts';

const text = catalogue(
  {
    measure: 'Measure',
    mae: 'Mean absolute error',
    rmse: 'Root mean square error',
    r2: 'R²',
    auroc: 'Area under the ROC curve (AUROC)',
    prAuc: 'Area under the precision–recall curve',
    precision: 'Precision',
    recall: 'Recall',
    f1: 'F1',
    ofSecond: (name: string) => `Of the class “${name}”.`,
    ofMean: 'The mean over the classes, each against the others.',
    ofOutputs: 'The mean over the numbers that are predicted, each in its own unit.',
    byClass: (round: string) => `Each class, in round ${round}`,
    byOutput: (round: string) => `Each number that is predicted, in round ${round}`,
    class: 'Class',
    output: 'Number',
    examples: 'Examples',
    waiting: 'The first point appears when the first round is committed.',
  },
  {
    measure: '指标',
    mae: '平均绝对误差',
    rmse: '均方根误差',
    r2: 'R²',
    auroc: 'ROC 曲线下面积（AUROC）',
    prAuc: '精确率–召回率曲线下面积',
    precision: '精确率',
    recall: '召回率',
    f1: 'F1 值',
    ofSecond: (name) => `针对类别“${name}”。`,
    ofMean: '各类别分别与其余类别相比，取平均。',
    ofOutputs: '对各预测数值取平均，各用其自身单位。',
    byClass: (round) => `各类别，第 ${round} 轮`,
    byOutput: (round) => `各预测数值，第 ${round} 轮`,
    class: '类别',
    output: '数值',
    examples: '样本数',
    waiting: '第一轮提交后出现第一个点。',
  },
);

type Measured = Pick<TaskInfo, 'data' | 'metrics'>;

/** One of the task's own measures, round by round, and the last ones of each class or number. Nothing where it asks for none. */
export function MetricCharts({ run, done, task }: { run: string; done: readonly Round[]; task: Measured }) {
  const t = text();
  const metrics = task.metrics ?? [];
  const [picked, pick] = useState<MetricName | null>(null);
  const name = metrics.find((one) => one === picked) ?? metrics[0];
  const inLanguage = language.value;
  const lines = useMemo(() => (name === undefined ? [] : linesOf(done, name)), [done, name, inLanguage]);
  if (name === undefined) return null;
  const classes = classesOf(task.data);
  const format = formatOf(name, targetUnit(task.data));
  const note =
    classes === null
      ? targetColumns(task.data).length > 1
        ? t.ofOutputs
        : null
      : classes.length === 2
        ? t.ofSecond(classes[1] ?? '')
        : t.ofMean;
  return (
    <div class="stack" data-testid="metric-charts">
      <label class="row tight-row">
        {t.measure}
        <select
          value={name}
          onChange={({ currentTarget }) => pick(metrics.find((one) => one === currentTarget.value) ?? null)}
        >
          {metrics.map((one) => (
            <option key={one} value={one}>
              {t[one]}
            </option>
          ))}
        </select>
      </label>
      {note !== null && <p class="small quiet">{note}</p>}
      <LineChart
        name={`${run}-${name}`}
        title={t[name]}
        testId="metric-chart"
        lines={lines}
        format={format}
        better={isErrorMetric(name) ? 'low' : 'high'}
        {...(isErrorMetric(name) || name === 'r2' ? {} : { bounds: [0, 1] as const })}
        smoothing={smoothing.value}
        syncKey="rounds"
        xName={shared().round}
        where={(x) => shared().inRound(typeof x === 'number' ? formatNumber(x) : x)}
        empty={t.waiting}
      />
      <Parts done={done} task={task} metrics={metrics} />
    </div>
  );
}

function linesOf(done: readonly Round[], name: MetricName): Line[] {
  const of = (which: 'central' | 'federated') =>
    done.map((round) => ({
      x: round.round,
      y: (round[which] as Metrics | null)?.values?.[name] ?? null,
    }));
  return [
    { id: 'central', label: shared().central, points: of('central'), slot: 0 },
    { id: 'federated', label: shared().federated, points: of('federated'), slot: 1 },
  ];
}

function formatOf(name: MetricName, unit: string | undefined): (value: number) => string {
  return isErrorMetric(name)
    ? (value) => formatError(value, unit)
    : (value) => formatNumber(value, { maximumFractionDigits: 3 });
}

/** The newest measures of each class or of each number, as a table; nothing where no round has any. */
function Parts({
  done,
  task,
  metrics,
}: {
  done: readonly Round[];
  task: Measured;
  metrics: readonly MetricName[];
}) {
  const t = text();
  const classes = classesOf(task.data);
  const columns = targetColumns(task.data);
  const partsOf = ({ central, federated }: Round) => {
    const of = (one: Metrics | null) => (classes === null ? one?.outputs : one?.classes);
    return of(central) ?? of(federated);
  };
  const newest = done.findLast((round) => partsOf(round) !== undefined);
  const parts: readonly (MetricValues & { readonly examples?: number })[] | undefined =
    newest === undefined ? undefined : partsOf(newest);
  if (newest === undefined || parts === undefined) return null;
  const round = formatNumber(newest.round);
  return (
    <>
      <h3 id="metric-parts-title">{classes === null ? t.byOutput(round) : t.byClass(round)}</h3>
      <div class="scroll">
        <table data-testid="metric-parts" aria-labelledby="metric-parts-title">
          <thead>
            <tr>
              <th scope="col">{classes === null ? t.output : t.class}</th>
              {metrics.map((one) => (
                <th key={one} scope="col" class="end">
                  {t[one]}
                </th>
              ))}
              {classes !== null && (
                <th scope="col" class="end">
                  {t.examples}
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {parts.map((part, i) => {
              const name = (classes === null ? columns[i]?.name : classes[i]) ?? '';
              return (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  {metrics.map((one) => {
                    const value = part[one];
                    return (
                      <td key={one} class="end">
                        {value == null ? '–' : formatOf(one, columns[i]?.unit)(value)}
                      </td>
                    );
                  })}
                  {part.examples !== undefined && <td class="end">{formatNumber(part.examples)}</td>}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </>
  );
}
