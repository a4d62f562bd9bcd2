import { measured } from '../format.ts';
import { html, type Markup } from '../html.ts';
import { thin } from '../thin.ts';
import { ticksAround, wholeTicks } from '../ticks.ts';
import { frame, PLOT_HEIGHT, percent, px } from './frame.ts';

type Points = readonly { readonly x: number; readonly y: number | null }[];

export interface LineChart {
  readonly name: string;
  readonly xName: string;
  /** Ascending in x, a whole number; y is null where nothing was measured: the line breaks there. */
  readonly points: Points;
  /** Further lines over the same x, each with the look of its letter; they have no dots. */
  readonly beside?: readonly { readonly points: Points; readonly look: 'b' | 'c' }[];
  /** Moments of x, drawn as upright lines. */
  readonly marks?: readonly { readonly x: number; readonly label: string }[];
  readonly format: (y: number) => string;
  /** Format of ticks: shorter, since they are round. */
  readonly formatTick: (y: number) => string;
  /** A reference level, drawn dashed. */
  readonly target?: { readonly y: number; readonly label: string } | null;
  /** Limits of the values, e.g. 0 and 1 for a share: ticks stay inside. */
  readonly bounds?: readonly [number, number];
}

/** The most points to draw: a screen has no more pixels across. */
const MOST_POINTS = 2000;
/** The most points that get a dot with its value. */
const MOST_DOTS = 60;
const TINY = 1e-9;

export function lineChart(chart: LineChart): Markup {
  const points = thin(chart.points, MOST_POINTS);
  const beside = (chart.beside ?? []).map((line) => ({ ...line, points: thin(line.points, MOST_POINTS) }));
  const values = [points, ...beside.map((line) => line.points)]
    .flat()
    .flatMap(({ y }) => (measured(y) ? [y] : []));
  if (chart.target) values.push(chart.target.y);
  const ticks = ticksFor(values, chart.bounds);
  const bottom = ticks[0] as number;
  const top = ticks.at(-1) as number;
  const first = points[0]?.x ?? 0;
  const last = points.at(-1)?.x ?? 0;
  const across = (x: number) => (last === first ? 0.5 : (x - first) / (last - first));
  const up = (y: number) => (y - bottom) / (top - bottom);
  const down = (y: number) => (1 - up(y)) * PLOT_HEIGHT;
  const drawn = points.filter((point): point is { x: number; y: number } => measured(point.y));
  return frame({
    name: chart.name,
    xName: chart.xName,
    x: wholeTicks(first, last, 6).map((x) => ({ at: across(x), text: String(x) })),
    y: ticks.map((y) => ({ at: up(y), text: chart.formatTick(y) })),
    grid: true,
    content: [
      // The line is drawn 1000 units wide and stretched; its stroke is not.
      html`<svg class="stretch" width="100%" height="${PLOT_HEIGHT}" viewBox="0 0 1000 ${PLOT_HEIGHT}" preserveAspectRatio="none">${beside.map((line) => html`<path class="line line-${line.look}" d="${path(line.points, across, down)}"/>`)}<path class="line" d="${path(points, across, down)}"/></svg>`,
      ...(chart.marks ?? []).map(
        ({ x, label }) =>
          html`<line class="mark" x1="${percent(across(x))}" x2="${percent(across(x))}" y1="0" y2="${PLOT_HEIGHT}"/><text class="label target-label" x="${percent(across(x))}" dx="5" y="${PLOT_HEIGHT - 6}">${label}</text>`,
      ),
      ...(drawn.length <= MOST_DOTS
        ? drawn.map(
            ({ x, y }) =>
              html`<circle class="dot" cx="${percent(across(x))}" cy="${px(down(y))}" r="3"><title>${chart.xName} ${x}: ${chart.format(y)}</title></circle>
`,
          )
        : []),
      ...(chart.target ? [targetLine(chart.target.label, down(chart.target.y))] : []),
    ],
  });
}

/** At least two ticks that enclose the values, inside the bounds. */
function ticksFor(
  values: readonly number[],
  [low, high]: readonly [number, number] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
): readonly number[] {
  let min = Math.min(...values);
  let max = Math.max(...values);
  const size = Math.max(Math.abs(min), Math.abs(max));
  // Differences that floats cannot divide into ticks are none.
  if (max - min <= Math.max(size, TINY) * TINY) {
    const margin = size > TINY ? size / 20 : 0.05;
    min = Math.max(low, min - margin);
    max = Math.min(high, max + margin);
  }
  return ticksAround(min, max, 4).filter((tick) => tick >= low && tick <= high);
}

function targetLine(label: string, y: number): Markup {
  return html`<line class="target" x1="0" x2="100%" y1="${px(y)}" y2="${px(y)}"/><text class="label target-label" x="6" y="${px(y < 16 ? y + 15 : y - 6)}">${label}</text>`;
}

function path(points: Points, across: (x: number) => number, down: (y: number) => number): string {
  let drawing = '';
  let broken = true;
  for (const { x, y } of points) {
    if (measured(y)) drawing += `${broken ? 'M' : 'L'}${px(across(x) * 1000)} ${px(down(y))}`;
    broken = !measured(y);
  }
  return drawing;
}
