import { useRef } from 'preact/hooks';
import { ChartFigure } from './figure.tsx';
import { useWidth } from './hooks.ts';
import { readPalette, slotColour } from './palette.ts';
import { savePng, svgImage } from './save.ts';
import { niceTicks } from './ticks.ts';
import { chartWords } from './words.ts';

export interface PairedBarsProps {
  readonly name: string;
  readonly title: string;
  /** The name of a group of bars, such as "Values". */
  readonly xName: string;
  /** Labels of the groups, in order. */
  readonly groups: readonly string[];
  /** Two series with a value, 0 or more, for each group. */
  readonly series: readonly [PairedSeries, PairedSeries];
  readonly format: (value: number) => string;
  readonly empty: string;
  /** False where the second series is not a later state of the first. Left out: true. */
  readonly isChange?: boolean;
  readonly height?: number;
  readonly testId?: string;
}

export interface PairedSeries {
  readonly label: string;
  readonly values: readonly number[];
}

const AXIS = 60;
const FOOT = 22;
const HEAD = 8;
/** The palette's slots of the two series. */
const SLOTS = [6, 0] as const;

/** Bars in pairs: two distributions over the same groups, beside each other. Its sentence names the groups that grew and shrank the most or, where nothing changed over time, the one that differs the most. */
export function PairedBars(props: PairedBarsProps) {
  const { groups, series, format, isChange = true, height = 180 } = props;
  const words = chartWords();
  const host = useRef<HTMLDivElement>(null);
  const drawing = useRef<SVGSVGElement>(null);
  const width = useWidth(host);
  const room = Math.max(0, width - AXIS);
  const ticks = niceTicks(Math.max(0, ...series.flatMap(({ values }) => values)), 4, 1);
  const top = ticks.at(-1) || 1;
  const slot = room / Math.max(1, groups.length);
  const bar = Math.max(1, Math.min(24, slot * 0.4));
  const y = (value: number) => HEAD + (1 - value / top) * (height - HEAD - FOOT);
  // As many labels as have room for about nine characters each.
  const every = Math.max(1, Math.ceil(64 / Math.max(1, slot)));
  const changes = groups.map((_group, i) => (series[1].values[i] ?? 0) - (series[0].values[i] ?? 0));
  const most = changes.indexOf(Math.max(...changes));
  const least = changes.indexOf(Math.min(...changes));
  const change = (at: number) => ({
    group: groups[at] ?? '',
    from: format(series[0].values[at] ?? 0),
    to: format(series[1].values[at] ?? 0),
  });
  const apart = -(changes[least] ?? 0) > (changes[most] ?? 0) ? least : most;
  const { group, from, to } = change(apart);
  const summary = isChange
    ? words.pairs(change(most), change(least))
    : words.apart(group, `${series[0].label} ${from}`, `${series[1].label} ${to}`);
  const save = async () => {
    if (drawing.current === null || host.current === null) return;
    const palette = readPalette(host.current);
    await savePng(`${props.name}.png`, host.current, {
      title: props.title,
      image: await svgImage(drawing.current),
      width,
      height,
      legend: series.map(({ label }, i) => ({ label, colour: palette.slots[SLOTS[i] ?? 0]!, dash: [] })),
    });
  };
  return (
    <ChartFigure
      name={props.name}
      title={props.title}
      summary={groups.length === 0 ? '' : summary}
      table={{
        columns: [props.xName, ...series.map(({ label }) => label)],
        rows: groups.map((group, i) => [group, ...series.map(({ values }) => values[i] ?? 0)]),
      }}
      format={format}
      empty={groups.length === 0 ? props.empty : null}
      testId={props.testId}
      onSavePng={() => void save()}
      legend={
        <ul class="chart-legend">
          {series.map(({ label }, i) => (
            <li key={label} class="chart-key">
              <span class="chart-block" style={{ background: slotColour(SLOTS[i] ?? 0) }} />
              <span class="chart-key-label">{label}</span>
            </li>
          ))}
        </ul>
      }
    >
      <div class="chart-canvas chart-plot" ref={host} style={{ height: `${height}px` }}>
        <svg
          ref={drawing}
          class="bars"
          width={width}
          height={height}
          viewBox={`0 0 ${width} ${height}`}
          aria-hidden="true"
        >
          {ticks.map((tick) => (
            <g key={tick}>
              <line class="bars-grid" x1={AXIS} x2={width} y1={y(tick)} y2={y(tick)} />
              <text class="bars-text" x={AXIS - 8} y={y(tick) + 4} text-anchor="end">
                {format(tick)}
              </text>
            </g>
          ))}
          {groups.map((group, i) => (
            <g key={group}>
              {series.map(({ label, values }, which) => (
                <rect
                  key={label}
                  x={AXIS + (i + 0.5) * slot + (which - 1) * bar}
                  width={Math.max(1, bar - 1)}
                  y={y(values[i] ?? 0)}
                  height={Math.max(0, y(0) - y(values[i] ?? 0))}
                  style={{ fill: slotColour(SLOTS[which] ?? 0) }}
                >
                  <title>{`${group}: ${label} ${format(values[i] ?? 0)}`}</title>
                </rect>
              ))}
              {i % every === 0 && (
                <text class="bars-text" x={AXIS + (i + 0.5) * slot} y={height - 6} text-anchor="middle">
                  {group.length > 12 ? `${group.slice(0, 11)}…` : group}
                </text>
              )}
            </g>
          ))}
        </svg>
      </div>
    </ChartFigure>
  );
}
