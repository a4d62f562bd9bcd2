import type { BenchResult, BenchRow } from './result.ts';

const WIDTH = 860;
const LEFT = 400;
const RIGHT = 90;
const BAR = 16;
const GAP = 8;
const TITLE = 30;
const shown = (value: number) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

/**
 * Draws the results as bars: medians, with a line from the least to the most. Rows of one unit share a scale, which is
 * logarithmic where they differ by more than a hundred times. A standalone SVG, legible on light and dark.
 */
export function bars({ name, rows }: BenchResult): string {
  const units = [...new Set(rows.map(({ unit }) => unit))].filter((unit) => unit !== '');
  const parts: string[] = [];
  let y = 0;
  for (const unit of units) {
    const group = named(rows).filter((row) => row.unit === unit);
    const scale = scaleOf(group);
    parts.push(
      `<text x="0" y="${y + 18}" font-weight="600">${unit}${scale.logarithmic ? ', logarithmic' : ''}</text>`,
    );
    y += TITLE;
    for (const { what, median, min, max } of group) {
      const middle = y + BAR / 2;
      const end = LEFT + scale.x(median);
      parts.push(
        `<text x="${LEFT - 8}" y="${middle + 4}" text-anchor="end">${escaped(what)}</text>`,
        `<rect x="${LEFT}" y="${y}" width="${Math.max(1, scale.x(median)).toFixed(1)}" height="${BAR}" fill="#0072b2"/>`,
        `<line x1="${(LEFT + scale.x(min)).toFixed(1)}" x2="${(LEFT + scale.x(max)).toFixed(1)}" y1="${middle}" y2="${middle}" stroke="#d55e00" stroke-width="2"/>`,
        `<text x="${(Math.max(end, LEFT + scale.x(max)) + 6).toFixed(1)}" y="${middle + 4}">${shown(median)}</text>`,
      );
      y += BAR + GAP;
    }
    y += GAP;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" font-family="system-ui, sans-serif" font-size="12" fill="#777" role="img" aria-label="${escaped(name)}: medians, with the least and the most">
${parts.join('\n')}
</svg>
`;
}

/** Completes the names of rows that continue the one before. */
function named(rows: readonly BenchRow[]): BenchRow[] {
  let before = '';
  return rows.map((row) => {
    if (!row.what.startsWith('… ')) {
      before = row.what.split(/: |, /)[0] as string;
      return row;
    }
    return { ...row, what: `${before}: ${row.what.slice(2)}` };
  });
}

function scaleOf(rows: readonly BenchRow[]): { x: (value: number) => number; logarithmic: boolean } {
  const width = WIDTH - LEFT - RIGHT;
  const most = Math.max(...rows.map(({ max }) => max), Number.MIN_VALUE);
  const least = Math.min(...rows.map(({ min }) => min));
  if (least <= 0 || most / least <= 100) return { logarithmic: false, x: (value) => (value / most) * width };
  const decades = Math.log10(most / least) + 0.5;
  return { logarithmic: true, x: (value) => ((Math.log10(value / least) + 0.5) / decades) * width };
}
