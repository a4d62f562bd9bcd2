import { classesOf, type Metrics, targetError, targetUnit } from '@coppice/protocol';
import { catalogue, formatShare } from '@coppice/ui';
import { computed } from '@preact/signals';
import { session } from '../link/session.ts';
import { chosenId, chosenTask } from '../run/run.ts';
import { centralRecord } from '../training/round-record.ts';
import type { TrendPoint } from './trend.ts';
import { TrendChart } from './trend-chart.tsx';

const text = catalogue(
  {
    title: 'How the shared model does',
    empty:
      'Shown after the first round: on those of your examples that are held back from training, where the run measures on them, and on test data of the coordinator where it has some.',
    error: 'The typical error is the root of the mean squared difference between prediction and true value.',
    held: (share: string) =>
      `“On your examples” means about ${share} of them, which are held back from training to measure the model. They stay on this device.`,
  },
  {
    title: '共享模型的表现',
    empty:
      '首轮之后显示：在你未参与训练的那部分样本上（若本次训练用它们检验），以及（若协调器有测试数据）在其测试数据上。',
    error: '典型误差是预测值与真实值之差的均方根。',
    held: (share) => `“在你的样本上”指其中约 ${share}：它们不参与训练，专门用于检验模型，只保存在本设备上。`,
  },
);

const data = computed(() => chosenTask.value?.data ?? null);
const kind = computed(() => (data.value !== null && classesOf(data.value) === null ? 'error' : 'accuracy'));

function trend(measured: readonly { round: number; metrics: Metrics }[]): readonly TrendPoint[] {
  const task = chosenTask.value;
  const measureOf = (metrics: Metrics) =>
    kind.value === 'accuracy' || task === null ? metrics.accuracy : targetError(metrics, task);
  return measured
    .flatMap(({ round, metrics }) => {
      const value = measureOf(metrics);
      return value === null ? [] : [{ round, value }];
    })
    .sort((a, b) => a.round - b.round);
}

const local = computed(() => trend(session.localMetrics.value));
const central = computed(() => {
  const record = centralRecord.value;
  return record !== null && record.run === chosenId.value ? trend(record.rounds) : [];
});

/** The share of the examples that the joined run measures on; null where none is joined. */
const heldShare = computed(() => {
  const joined = session.joined.value;
  return joined === null ? null : Math.max(joined.task.heldOut, joined.plan.evaluationShare);
});

export function ResultsPanel() {
  const t = text();
  const nothing = local.value.length === 0 && central.value.length === 0;
  return (
    <section class="sheet stack" aria-labelledby="results-title" id="results">
      <h2 id="results-title">{t.title}</h2>
      {nothing ? (
        <p class="quiet">{t.empty}</p>
      ) : (
        <>
          <TrendChart
            kind={kind.value}
            unit={data.value === null ? undefined : targetUnit(data.value)}
            local={local.value}
            central={central.value}
          />
          {kind.value === 'error' && <p class="small quiet">{t.error}</p>}
          {local.value.length > 0 && heldShare.value !== null && (
            <p class="small quiet">{t.held(formatShare(heldShare.value, 0))}</p>
          )}
        </>
      )}
    </section>
  );
}
