import { html, type Markup } from '../html.ts';

/** Height of the plotting area in CSS pixels; the width is whatever the page gives. */
export const PLOT_HEIGHT = 200;
/** Space below it for the labels of x. */
const FOOT = 40;

export interface Label {
  /** 0 at the start of the axis, 1 at its end. */
  readonly at: number;
  readonly text: string;
}

/**
 * The frame of a chart: grid lines, labels of both axes and the name of x, around the drawing.
 *
 * There is no viewBox: horizontal positions are percentages, so the plot adapts to its width while text and lines keep
 * their size, on a phone and on paper, without a script. The labels of y stand left of the drawing, in the margin that
 * `.plot` leaves.
 */
export function frame(chart: {
  readonly name: string;
  readonly xName: string;
  readonly x: readonly Label[];
  readonly y: readonly Label[];
  readonly grid: boolean;
  readonly height?: number;
  readonly content: Markup | readonly Markup[];
}): Markup {
  const height = chart.height ?? PLOT_HEIGHT;
  return html`<svg role="img" aria-label="${chart.name}" width="100%" height="${height + FOOT}">
${chart.y.map(({ at, text }) => {
  const y = px((1 - at) * height);
  return html`${chart.grid ? html`<line class="grid" x1="0" x2="100%" y1="${y}" y2="${y}"/>` : ''}<text class="label" x="-8" y="${y}" dy="4" text-anchor="end">${text}</text>`;
})}
${chart.content}
${chart.x.map(({ at, text }) => html`<text class="label" x="${percent(at)}" y="${height + 17}" text-anchor="middle">${text}</text>`)}
<text class="label" x="50%" y="${height + 36}" text-anchor="middle">${chart.xName}</text>
</svg>`;
}

/** A position across the plot, 0 to 1, as an SVG length. */
export function percent(share: number): string {
  return `${trimmed(share * 100)}%`;
}

/** A position down the plot, in pixels. */
export function px(value: number): string {
  return trimmed(value);
}

function trimmed(value: number): string {
  return String(Number(value.toFixed(2)));
}
