import { formatCount } from '../format.ts';
import { html, type Markup } from '../html.ts';
import { bandLabels, bandWidth } from './bar-chart.ts';
import { frame, percent, px } from './frame.ts';

export interface HeatMap {
  readonly name: string;
  readonly xName: string;
  readonly yName: string;
  readonly xLabels: readonly string[];
  readonly yLabels: readonly string[];
  /** columns × rows, each 0 or more; higher is darker. An empty cell is 0. */
  readonly cells: readonly (readonly number[])[];
}

/** The most cells with a name each: more would slow the page down, and nobody would point at one. */
const MOST_NAMED = 3000;

/** A heat map whose columns stand exactly under the bars of a bar chart with as many bars. */
export function heatMap({ name, xName, yName, xLabels, yLabels, cells }: HeatMap): Markup {
  const rows = yLabels.length;
  const row = Math.max(3, Math.min(20, 240 / rows));
  const band = bandWidth(xLabels.length);
  const most = Math.max(1, ...cells.map((column) => Math.max(0, ...column)));
  const gap = row >= 8 ? 1 : 0;
  const named = xLabels.length * rows <= MOST_NAMED;
  const every = Math.max(1, Math.ceil(14 / row));
  return frame({
    name,
    xName,
    x: bandLabels(xLabels),
    y: yLabels.flatMap((text, index) =>
      index % every === 0 ? [{ at: 1 - (index + 0.5) / rows, text }] : [],
    ),
    grid: false,
    height: rows * row,
    content: [
      html`<rect class="ground" x="0" y="0" width="${percent(band * xLabels.length)}" height="${px(rows * row)}"/>`,
      ...cells.flatMap((column, x) =>
        column.flatMap((count, y) => {
          if (count === 0) return [];
          const title = named
            ? html`<title>${xName} ${xLabels[x] as string}, ${yName} ${yLabels[y] as string}: ${formatCount(count)}</title>`
            : '';
          // A single example still shows: the scale starts a step above the ground.
          const shade = 0.12 + 0.88 * (count / most);
          return [
            html`<rect class="fill-a" fill-opacity="${px(shade)}" x="${percent((x + 0.03) * band)}" width="${percent(0.94 * band)}" y="${px(y * row + gap / 2)}" height="${px(row - gap)}">${title}</rect>
`,
          ];
        }),
      ),
    ],
  });
}
