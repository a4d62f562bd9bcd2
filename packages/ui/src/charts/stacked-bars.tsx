import { useRef, useState } from 'preact/hooks';
import { ChartFigure } from './figure.tsx';
import { useWidth } from './hooks.ts';
import { readPalette, slotColour } from './palette.ts';
import { savePng, svgImage } from './save.ts';
import { niceTicks } from './ticks.ts';
import { chartWords } from './words.ts';

export interface Segment {
  readonly id: string;
  readonly label: string;
  readonly slot: number;
}

export interface Bar {
  /** The bar's place on x, e.g. the round; used as the key. */
  readonly x: number | string;
  /** One value for each segment, 0 or more. */
  readonly values: readonly number[];
}

export interface StackedBarsProps {
  readonly name: string;
  readonly title: string;
  readonly xName: string;
  /** Formats a position on x, e.g. "round 7"; left out: the unit and the number. */
  readonly where?: (x: number | string) => string;
  readonly segments: readonly Segment[];
  readonly bars: readonly Bar[];
  readonly format: (value: number) => string;
  /** The unit for values up to `max`, in which ticks are round; left out: 1. */
  readonly unit?: (max: number) => number;
  readonly empty: string;
  readonly height?: number;
  readonly testId?: string;
}

const AXIS = 60;
const FOOT = 22;
const HEAD = 8;
const NARROWEST = 5;

/** Bars of stacked parts, the newest that fit; the table twin and the file hold all of them. */
export function StackedBars(props: StackedBarsProps) {
  const { segments, format, height = 200 } = props;
  const words = chartWords();
  const host = useRef<HTMLDivElement>(null);
  const drawing = useRef<SVGSVGElement>(null);
  const width = useWidth(host);
  const [at, setAt] = useState<number | null>(null);
  const room = Math.max(0, width - AXIS);
  const bars = props.bars.slice(-Math.max(1, Math.floor(room / NARROWEST)));
  const totals = bars.map((bar) => bar.values.reduce((sum, value) => sum + value, 0));
  const most = Math.max(0, ...totals);
  const ticks = niceTicks(most, 4, props.unit?.(most) ?? 1);
  const top = ticks.at(-1) || 1;
  const slot = Math.min(room / Math.max(1, bars.length), 48);
  const y = (value: number) => HEAD + (1 - value / top) * (height - HEAD - FOOT);
  const where = (index: number) => {
    const x = bars[index]?.x ?? '';
    return props.where?.(x) ?? `${props.xName} ${x}`;
  };
  const every = Math.max(1, Math.ceil(36 / slot));
  const last = bars.length - 1;
  const largest = totals.indexOf(most);
  const summary =
    bars.length === 0 ? '' : words.bars(format(totals[last]!), where(last), format(most), where(largest));
  const table = {
    columns: [props.xName, ...segments.map((segment) => segment.label), words.total],
    rows: props.bars.map((bar) => [bar.x, ...bar.values, bar.values.reduce((sum, value) => sum + value, 0)]),
  };
  const save = async () => {
    if (drawing.current === null || host.current === null) return;
    const palette = readPalette(host.current);
    await savePng(`${props.name}.png`, host.current, {
      title: props.title,
      image: await svgImage(drawing.current),
      width,
      height,
      legend: segments.map(({ label, slot }) => ({ label, colour: palette.slots[slot % 8]!, dash: [] })),
    });
  };
  const step = (event: KeyboardEvent) => {
    const next =
      event.key === 'ArrowLeft'
        ? Math.max(0, (at ?? last + 1) - 1)
        : event.key === 'ArrowRight'
          ? Math.min(last, (at ?? -1) + 1)
          : null;
    if (next === null) return;
    event.preventDefault();
    setAt(next);
  };
  const shown = at !== null && at <= last ? at : last;
  return (
    <ChartFigure
      name={props.name}
      title={props.title}
      summary={summary}
      table={table}
      format={format}
      empty={props.bars.length === 0 ? props.empty : null}
      testId={props.testId}
      onSavePng={() => void save()}
      legend={
        <ul class="chart-legend" aria-live={at === null ? 'off' : 'polite'}>
          {segments.map((segment, index) => (
            <li key={segment.id} class="chart-key">
              <span class="chart-block" style={{ background: slotColour(segment.slot) }} />
              <span class="chart-key-label">{segment.label}</span>
              <span class="chart-key-value">{format(bars[shown]?.values[index] ?? 0)}</span>
            </li>
          ))}
          <li class="chart-at">{where(shown)}</li>
        </ul>
      }
    >
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms */}
      <div
        class="chart-canvas chart-plot"
        ref={host}
        role="group"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys step through the bars
        tabIndex={0}
        aria-label={`${props.title}. ${words.keys}`}
        style={{ height: `${height}px` }}
        onKeyDown={step}
        onBlur={() => setAt(null)}
        onPointerMove={(event) => {
          const left = event.clientX - event.currentTarget.getBoundingClientRect().left - AXIS;
          const index = Math.floor(left / slot);
          setAt(index >= 0 && index <= last ? index : null);
        }}
        onPointerLeave={() => setAt(null)}
      >
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
          {bars.map((bar, index) => (
            <g key={bar.x} opacity={at === null || at === index ? 1 : 0.45}>
              {segments.map((segment, part) => {
                const below = bar.values.slice(0, part).reduce((sum, value) => sum + value, 0);
                const value = bar.values[part] ?? 0;
                return (
                  <rect
                    key={segment.id}
                    x={AXIS + index * slot + Math.min(slot * 0.12, 3)}
                    width={Math.max(1, slot - 2 * Math.min(slot * 0.12, 3))}
                    y={y(below + value)}
                    height={Math.max(0, y(below) - y(below + value))}
                    style={{ fill: slotColour(segment.slot) }}
                  />
                );
              })}
              {(last - index) % every === 0 && (
                <text class="bars-text" x={AXIS + (index + 0.5) * slot} y={height - 6} text-anchor="middle">
                  {bar.x}
                </text>
              )}
            </g>
          ))}
        </svg>
      </div>
    </ChartFigure>
  );
}
