import { html, type Markup } from '../html.ts';
import { ticksAround } from '../ticks.ts';
import { frame, type Label, PLOT_HEIGHT, percent, px } from './frame.ts';

export interface Bar {
  readonly label: string;
  /** The parts from the bottom up, each 0 or more. */
  readonly parts: readonly number[];
}

export interface BarChart {
  readonly name: string;
  readonly xName: string;
  readonly bars: readonly Bar[];
  readonly format: (value: number) => string;
  /** Format of ticks: shorter, since they are round. */
  readonly formatTick: (value: number) => string;
  /** The unit for values up to `most`, in which ticks are round, e.g. 1,000 for kilobytes. */
  readonly unit?: (most: number) => number;
}

/** Largest number of bars that a phone can show apart. */
export const MOST_BARS = 120;
/** Largest share of the plot for one band, so that a few bars are not widened to slabs. */
const WIDEST_BAND = 0.08;
/** In CSS pixels: a third of a wide page, or a small phone; a digit at 12 px; air between two labels. */
const NARROWEST_PLOT = 190;
const DIGIT = 7;
const LABEL_GAP = 8;

/** Bars of stacked parts. */
export function barChart({ name, xName, bars, format, formatTick, unit }: BarChart): Markup {
  const totals = bars.map(({ parts }) => sum(parts));
  const most = Math.max(0, ...totals);
  const scale = unit?.(most) ?? 1;
  const ticks = ticksAround(0, most / scale || 1, 4).map((tick) => tick * scale);
  const top = ticks.at(-1) as number;
  const band = bandWidth(bars.length);
  // Gaps thinner than a pixel would be a grey veil.
  const gap = bars.length > MOST_BARS / 2 ? 0 : 0.1;
  return frame({
    name,
    xName,
    x: bandLabels(bars.map(({ label }) => label)),
    y: ticks.map((tick) => ({ at: tick / top, text: formatTick(tick) })),
    grid: true,
    content: bars.map(({ label, parts }, index) => {
      const rects = parts.map((value, part) => {
        const end = (1 - sum(parts.slice(0, part + 1)) / top) * PLOT_HEIGHT;
        return html`<rect class="fill-${part === 0 ? 'a' : 'b'}" x="${percent((index + gap) * band)}" width="${percent((1 - 2 * gap) * band)}" y="${px(end)}" height="${px((value / top) * PLOT_HEIGHT)}"/>`;
      });
      return html`<g><title>${xName} ${label}: ${parts.map(format).join(' + ')}</title>${rects}</g>
`;
    }),
  });
}

/** The width of one of `count` bands, as a share of the plot. */
export function bandWidth(count: number): number {
  return Math.min(1 / Math.max(1, count), WIDEST_BAND);
}

/** Labels under the middle of their bands, as many as fit where the plot is narrowest. */
export function bandLabels(labels: readonly string[]): readonly Label[] {
  const longest = labels.reduce((most, label) => Math.max(most, label.length), 0);
  const room = NARROWEST_PLOT / (longest * DIGIT + LABEL_GAP);
  const every = Math.max(1, Math.ceil(labels.length / room));
  const band = bandWidth(labels.length);
  return labels.flatMap((text, index) => (index % every === 0 ? [{ at: (index + 0.5) * band, text }] : []));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
