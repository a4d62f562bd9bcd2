import { type DataSchema, groupsOf, type WatchInfo } from '@coppice/protocol';
import { catalogue, formatNumber } from '@coppice/ui';
import { periodText } from './period-text.ts';
import { KEPT_DAYS } from './watch.ts';

const n = (value: number) => formatNumber(value, { maximumSignificantDigits: 3 });

export const monitoringText = catalogue(
  {
    title: 'Monitoring',
    lead: 'This model is in use. With your consent, this browser reports how the model does here, so that the organizer notices when data change and can improve it.',
    fold: 'What is reported',
    data: 'Your inputs and answers',
    dataValue: 'Never sent. They stay on this device.',
    often: 'How often',
    oftenValue: (period: string, least: number) =>
      `One report per period of ${period}, from ${n(least)} predictions on. With fewer, nothing is sent.`,
    report: 'In a report',
    pictures:
      'How brightness, contrast and four numbers made by the model are spread over ranges; how often each class is predicted; how sure the model is; the share of wrong answers, if you correct them.',
    table: (columns: string) =>
      `How the values of ${columns} are spread over ranges, how many are missing or implausible; how the predictions are spread; the share of wrong answers, if you correct them.`,
    join: ', ',
    more: (count: number) => `${n(count)} more columns`,
    byGroup: (column: string, values: string) =>
      `Wrong answers are also told for each value of “${column}” by itself: ${values}, any other value. So are the answers that two models get right, when a new one is tested.`,
    groups: 'By group',
    examples: 'From your examples',
    examplesValue:
      'The same shares for your examples, how their labels are spread, and averages of numbers, when a model is released. How many held-out examples each of two models gets right, when a new one is tested.',
    audience: 'Who can see it',
    audienceValue: 'The organizer, until the period ends. Then only the sum over all devices is kept.',
    noise: 'Noise',
    noNoise: 'None',
    noiseValue: (epsilon: number, delta: string) =>
      `Added to every sum. All reports together cost at most ε = ${n(epsilon)} (δ = ${delta}).`,
    agree: 'I agree that this browser reports on this model.',
    keep: `Also keep inputs on this device for up to ${KEPT_DAYS} days. Inputs that I correct become my examples.`,
    withdraw: 'Stop reporting',
    changed: 'What is reported has changed. Nothing is sent until you agree again.',
    counted: (predictions: number, corrected: number) =>
      predictions === 0
        ? 'No predictions since the last report.'
        : `Since the last report: ${n(predictions)} ${predictions === 1 ? 'prediction' : 'predictions'}, ${n(corrected)} checked by you.`,
    reported: (period: number) => `Last report: period ${n(period)}.`,
    notYet: 'No report sent yet.',
    preparing: 'The organizer is collecting a baseline for this model. Reports begin after it.',
    spent: 'The privacy budget of this model is used up. Nothing is reported.',
    waiting: 'No model is released yet. Reports begin with the first release.',
  },
  {
    title: '监测',
    lead: '该模型正在使用中。经你同意，本浏览器会报告模型在这里的表现，以便组织者发现数据变化并改进模型。',
    fold: '报告内容',
    data: '你的输入与答案',
    dataValue: '从不发送，只保留在本设备上。',
    often: '频率',
    oftenValue: (period, least) => `每个周期（${period}）一次，至少 ${n(least)} 次预测才会发送。`,
    report: '报告中包含',
    pictures:
      '亮度、对比度和模型生成的四个数值在各区间的分布；各类别被预测的比例；模型的置信度；如果你纠正了答案，还有错误的比例。',
    table: (columns) =>
      `${columns}的取值在各区间的分布，缺失或不合理的比例；预测结果的分布；如果你纠正了答案，还有错误的比例。`,
    join: '、',
    more: (count) => `另外 ${n(count)} 列`,
    byGroup: (column, values) =>
      `错误的比例还会按“${column}”的每个值分别报告：${values}、其他值；测试新模型时，两个模型答对的数量也是如此。`,
    groups: '分组',
    examples: '来自你的样本',
    examplesValue:
      '发布模型时，你的样本的同类比例、标签的分布以及数值的平均；测试新模型时，两个模型在留出样本上各自答对的数量。',
    audience: '谁能看到',
    audienceValue: '周期结束前为组织者；之后只保留所有设备的总和。',
    noise: '噪声',
    noNoise: '无',
    noiseValue: (epsilon, delta) =>
      `每个总和都会加入噪声。所有报告合计最多花费 ε = ${n(epsilon)}（δ = ${delta}）。`,
    agree: '我同意本浏览器报告该模型的表现。',
    keep: `同时在本设备上保留输入，最长 ${KEPT_DAYS} 天。我纠正过的输入会成为我的样本。`,
    withdraw: '停止报告',
    changed: '报告内容已变更。在你再次同意之前，不会发送任何内容。',
    counted: (predictions, corrected) =>
      predictions === 0
        ? '自上次报告以来没有预测。'
        : `自上次报告以来：${n(predictions)} 次预测，其中 ${n(corrected)} 次由你核对。`,
    reported: (period) => `上次报告：第 ${n(period)} 周期。`,
    notYet: '尚未发送报告。',
    preparing: '组织者正在为该模型收集基准，之后开始报告。',
    spent: '该模型的隐私预算已用完，不再报告。',
    waiting: '尚未发布模型。首次发布后开始报告。',
  },
);

/** The most columns that are named. */
const MOST_NAMED = 8;

/** The rows of the label: title and content. */
export function monitoringRows(
  info: Pick<WatchInfo, 'periodMilliseconds' | 'minimum' | 'privacy'>,
  data: DataSchema,
): readonly (readonly [string, string])[] {
  const t = monitoringText();
  const period = periodText(info.periodMilliseconds ?? 0);
  const { privacy } = info;
  const groups = groupsOf(data)?.feature ?? null;
  return [
    [t.data, t.dataValue],
    [t.often, t.oftenValue(period, info.minimum ?? 0)],
    [
      t.report,
      data.kind === 'image' ? t.pictures : t.table(columnsOf(data.features.map(({ name }) => name))),
    ],
    ...(groups === null ? [] : [[t.groups, t.byGroup(groups.name, groups.values.join(t.join))] as const]),
    [t.examples, t.examplesValue],
    [t.audience, t.audienceValue],
    [t.noise, privacy === null ? t.noNoise : t.noiseValue(privacy.epsilon, privacy.delta.toExponential(0))],
  ];
}

function columnsOf(names: readonly string[]): string {
  const t = monitoringText();
  const rest = names.length - MOST_NAMED;
  const named = names.slice(0, MOST_NAMED).map((name) => `“${name}”`);
  return [...named, ...(rest > 0 ? [t.more(rest)] : [])].join(', ');
}

/** The whole consent, verbatim. */
export function monitoringStatements(...of: Parameters<typeof monitoringRows>): readonly string[] {
  return [...monitoringRows(...of).map(([title, value]) => `${title}: ${value}`), monitoringText().agree];
}
