import {
  classesOf,
  type DataSchema,
  type Feature,
  pictureBounds,
  pictureRange,
  targetScaling,
  targetUnit,
} from '@coppice/protocol';
import { catalogue, formatNumber, localized } from '@coppice/ui';
import { Scroll } from './parts.tsx';

const text = catalogue(
  {
    title: 'The data',
    column: 'Column',
    kind: 'Kind',
    number: 'number',
    category: 'category',
    class: 'class',
    reading: 'Values or scaling',
    range: 'Plausible range',
    target: (name: string) => `${name} (target)`,
    scaled: (mean: string, scale: string) => `(value − ${mean}) / ${scale}`,
    unscaled: 'as it is',
    awaited:
      'The scaling is agreed by the participants before the first round; until then the values stay as they are.',
    agreed: (participants: string, examples: string) =>
      `${participants} participants agreed on the scaling, from ${examples} examples.`,
    groups: 'Errors are told apart by its values.',
    categories: (values: string) => `${values}, any other value`,
    more: (count: string) => `and ${count} more`,
    join: ', ',
    to: (min: string, max: string) => `${min} to ${max}`,
    atLeast: (min: string) => `from ${min}`,
    atMost: (max: string) => `up to ${max}`,
    picture: (width: string, height: string, colour: boolean) =>
      `Pictures of ${width} × ${height} pixels, ${colour ? 'colour' : 'grey'}.`,
    pixels: (low: string, high: string) =>
      `The model takes pixels as numbers from ${low} to ${high}. Classes:`,
  },
  {
    title: '数据',
    column: '列',
    kind: '类型',
    number: '数值',
    category: '类别',
    class: '分类标签',
    reading: '取值或缩放',
    range: '合理范围',
    target: (name) => `${name}（目标）`,
    scaled: (mean, scale) => `（值 − ${mean}）/ ${scale}`,
    unscaled: '原值',
    awaited: '缩放由参与者在第一轮之前商定；在此之前各列保持原值。',
    agreed: (participants, examples) => `${participants} 位参与者根据 ${examples} 个样本商定了缩放。`,
    groups: '误差按该列的值分组。',
    categories: (values) => `${values}、其他值`,
    more: (count) => `另有 ${count} 个`,
    join: '、',
    to: (min, max) => `${min} 到 ${max}`,
    atLeast: (min) => `不小于 ${min}`,
    atMost: (max) => `不大于 ${max}`,
    picture: (width, height, colour) => `${width} × ${height} 像素的${colour ? '彩色' : '灰度'}图片。`,
    pixels: (low, high) => `模型读取的像素值为 ${low} 到 ${high}。类别：`,
  },
);

/** The most names listed of one column. */
const NAMED = 20;

/** Describes a task's data: size and classes of pictures, or the columns of a table and the target. */
export function TaskData({ data }: { data: DataSchema }) {
  const t = text();
  return (
    <section class="stack tight" data-testid="task-data">
      <h2>{t.title}</h2>
      {data.kind === 'image' ? (
        <p>
          {t.picture(formatNumber(data.width), formatNumber(data.height), data.channels === 3)}{' '}
          {t.pixels(...boundsOf(data))} {listed(data.classes)}
        </p>
      ) : (
        <>
          {data.scaling === 'agreed' && (
            <p class="small quiet" data-testid="task-scaling">
              {data.agreed === undefined
                ? t.awaited
                : t.agreed(formatNumber(data.agreed.participants), formatNumber(data.agreed.examples))}
            </p>
          )}
          <Scroll label={t.title} testId="task-columns" low>
            <table>
              <thead>
                <tr>
                  {[t.column, t.kind, t.reading, t.range].map((name) => (
                    <th key={name} scope="col">
                      {name}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {data.features.map((feature) => (
                  <FeatureRow key={feature.name} feature={feature} isGroups={feature.name === data.groups} />
                ))}
                <tr>
                  <th scope="row">{t.target(withUnit(data.target.name, targetUnit(data)))}</th>
                  <td>{data.target.kind === 'class' ? t.class : t.number}</td>
                  <td class="wrapped">{targetReading(data)}</td>
                  <td class="figure">{data.target.kind === 'number' && range(data.target)}</td>
                </tr>
              </tbody>
            </table>
          </Scroll>
        </>
      )}
    </section>
  );
}

function FeatureRow({ feature, isGroups }: { feature: Feature; isGroups: boolean }) {
  const t = text();
  if (feature.kind === 'category')
    return (
      <tr>
        <th scope="row">{feature.name}</th>
        <td>{t.category}</td>
        <td class="wrapped">
          {t.categories(listed(feature.values))}
          {isGroups && <p class="small quiet">{t.groups}</p>}
          {feature.help !== undefined && <p class="small quiet">{localized(feature.help)}</p>}
        </td>
        <td />
      </tr>
    );
  return (
    <tr>
      <th scope="row">{withUnit(feature.name, feature.unit)}</th>
      <td>{t.number}</td>
      <td class="figure">{scaled(feature)}</td>
      <td class="figure">{range(feature)}</td>
    </tr>
  );
}

function targetReading(data: DataSchema): string {
  const classes = classesOf(data);
  return classes === null ? scaled(targetScaling(data)) : listed(classes);
}

function withUnit(name: string, unit: string | undefined): string {
  return unit === undefined ? name : `${name} (${unit})`;
}

const exactly = (value: number) => formatNumber(value, { maximumSignificantDigits: 12, useGrouping: false });

function scaled({ mean, scale }: { readonly mean: number; readonly scale: number }): string {
  const t = text();
  return mean === 0 && scale === 1 ? t.unscaled : t.scaled(exactly(mean), exactly(scale));
}

function range({
  min,
  max,
}: {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}): string {
  const t = text();
  if (min !== undefined && max !== undefined) return t.to(exactly(min), exactly(max));
  if (min !== undefined) return t.atLeast(exactly(min));
  return max === undefined ? '' : t.atMost(exactly(max));
}

function listed(names: readonly string[]): string {
  const t = text();
  const others = names.length - NAMED;
  return [...names.slice(0, NAMED), ...(others > 0 ? [t.more(formatNumber(others))] : [])].join(t.join);
}

function boundsOf(data: DataSchema): [string, string] {
  const [low, high] = pictureBounds(pictureRange(data));
  return [formatNumber(low), formatNumber(high)];
}
