import { classesOf, type Metrics, targetError, targetUnit } from '@coppice/protocol';
import { catalogue } from '@coppice/ui';
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
      'Shown after the first round: on those of your examples that are kept out of training, where the run keeps any, and on test data of the coordinator where it has some.',
    error: 'The typical error is the root of the mean squared difference between prediction and true value.',
    held: 'On your examples means those of yours that are kept out of training to measure with; no one else sees them.',
  },
  {
    title: '共享模型的表现',
    empty:
      '首轮之后显示：在你未参与训练的那部分样本上（若本次训练留出样本），以及（若协调器有测试数据）在其测试数据上。',
    error: '典型误差是预测值与真实值之差的均方根。',
    held: '“在你的样本上”指不参与训练、专门用于测量的那部分；别人看不到它们。',
  },
);

const data = computed(() => chosenTask.value?.data ?? null);
const kind = computed(() => (data.value !== null && classesOf(data.value) === null ? 'error' : 'accuracy'));

function trend(measured: readonly { round: number; metrics: Metrics }[]): readonly TrendPoint[] {
  const measureOf = ({ accuracy, loss }: Metrics) =>
    kind.value === 'accuracy' || data.value === null ? accuracy : targetError(loss, data.value);
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
          {local.value.length > 0 && <p class="small quiet">{t.held}</p>}
        </>
      )}
    </section>
  );
}
