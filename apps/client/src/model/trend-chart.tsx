import { catalogue, formatNumber, formatShare } from '@coppice/ui';
import { extentOf, type Frame, linePath, placePoint, type TrendPoint } from './trend.ts';

const n = (value: number) => formatNumber(value);
const text = catalogue(
  {
    round: 'Round',
    local: 'On your examples',
    central: 'On test data of the coordinator',
    table: 'As a table',
    accuracy: 'Accuracy by round',
    error: (unit: string | undefined): string =>
      unit === undefined ? 'Typical error by round' : `Typical error by round, in ${unit}`,
    summary: (v: { title: string; name: string; first: string; last: string; round: number }) =>
      `${v.title}. ${v.name}: from ${v.first} to ${v.last} at round ${n(v.round)}.`,
  },
  {
    round: '轮',
    local: '在你的样本上',
    central: '在协调器的测试数据上',
    table: '以表格显示',
    accuracy: '各轮准确率',
    error: (unit) => (unit === undefined ? '各轮典型误差' : `各轮典型误差（${unit}）`),
    summary: (v) => `${v.title}。${v.name}：从 ${v.first} 到第 ${n(v.round)} 轮的 ${v.last}。`,
  },
);

const frame: Frame = { width: 460, height: 190, left: 46, right: 12, top: 12, bottom: 26 };

interface TrendChartProps {
  readonly kind: 'accuracy' | 'error';
  /** The unit of errors; left out: none. */
  readonly unit: string | undefined;
  readonly local: readonly TrendPoint[];
  readonly central: readonly TrendPoint[];
}

/** Trend of the shared model on the device's own examples and on the coordinator's, with its table twin. */
export function TrendChart({ kind, unit, local, central }: TrendChartProps) {
  const t = text();
  const extent = extentOf([local, central], kind);
  const bare = (value: number) => formatNumber(value, { maximumSignificantDigits: 3 });
  const format = (value: number) => {
    if (kind === 'accuracy') return formatShare(value);
    return unit === undefined ? bare(value) : `${bare(value)} ${unit}`;
  };
  const title = kind === 'accuracy' ? t.accuracy : t.error(unit);
  const says = [
    { name: t.local, points: local },
    { name: t.central, points: central },
  ].flatMap(({ name, points }) => {
    const [first, last] = [points[0], points.at(-1)];
    if (first === undefined || last === undefined) return [];
    return [
      t.summary({ title, name, first: format(first.value), last: format(last.value), round: last.round }),
    ];
  });
  const ticks = [0, 0.5, 1].map((share) => extent.low + share * (extent.high - extent.low));
  return (
    <figure class="trend">
      <svg viewBox={`0 0 ${frame.width} ${frame.height}`} role="img" aria-label={says.join(' ')}>
        {ticks.map((value) => {
          const [, y] = placePoint({ round: 0, value }, extent, frame);
          return (
            <g key={value}>
              <line class="grid" x1={frame.left} x2={frame.width - frame.right} y1={y} y2={y} />
              <text class="tick" x={frame.left - 8} y={y + 4} text-anchor="end">
                {kind === 'accuracy' ? formatShare(value, 0) : bare(value)}
              </text>
            </g>
          );
        })}
        <text class="tick" x={frame.left} y={frame.height - 6}>
          {n(0)}
        </text>
        <text class="tick" x={frame.width - frame.right} y={frame.height - 6} text-anchor="end">
          {t.round} {n(extent.rounds)}
        </text>
        <path class="central" d={linePath(central, extent, frame)} />
        <path class="local" d={linePath(local, extent, frame)} />
        <End points={central} place={(point) => placePoint(point, extent, frame)} name="central" />
        <End points={local} place={(point) => placePoint(point, extent, frame)} name="local" />
      </svg>
      <figcaption class="trend-legend small">
        {local.length > 0 && <Entry name="local" label={t.local} value={format(local.at(-1)?.value ?? 0)} />}
        {central.length > 0 && (
          <Entry name="central" label={t.central} value={format(central.at(-1)?.value ?? 0)} />
        )}
      </figcaption>
      <details class="fold">
        <summary>{t.table}</summary>
        <Twin local={local} central={central} format={format} />
      </details>
    </figure>
  );
}

function End(props: {
  points: readonly TrendPoint[];
  place: (point: TrendPoint) => readonly [number, number];
  name: string;
}) {
  const last = props.points.at(-1);
  if (last === undefined) return null;
  const [x, y] = props.place(last);
  return <circle class={`end ${props.name}`} cx={x} cy={y} r="4" />;
}

function Entry({ name, label, value }: { name: string; label: string; value: string }) {
  return (
    <span class={`trend-entry ${name}`}>
      <svg width="26" height="8" aria-hidden="true">
        <path class={name} d="M1 4H25" />
      </svg>
      {label} <strong class="figure">{value}</strong>
    </span>
  );
}

function Twin(props: {
  local: readonly TrendPoint[];
  central: readonly TrendPoint[];
  format: (value: number) => string;
}) {
  const t = text();
  const rounds = [...new Set([...props.local, ...props.central].map(({ round }) => round))].sort(
    (a, b) => b - a,
  );
  const at = (points: readonly TrendPoint[], round: number) => {
    const found = points.find((point) => point.round === round);
    return found === undefined ? '–' : props.format(found.value);
  };
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{t.round}</th>
          <th scope="col">{t.local}</th>
          <th scope="col">{t.central}</th>
        </tr>
      </thead>
      <tbody>
        {rounds.map((round) => (
          <tr key={round}>
            <th scope="row">{n(round)}</th>
            <td>{at(props.local, round)}</td>
            <td>{at(props.central, round)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
