import type { Line } from './line-plot.ts';
import { slotColour, slotDash } from './palette.ts';

/** The legend: line styles, names, the value under the cursor or the last one. Pressing an entry hides its line. */
export function LineLegend({
  lines,
  hidden,
  onToggle,
  at,
  where,
  format,
}: {
  lines: readonly Line[];
  hidden: ReadonlySet<string>;
  onToggle: (id: string) => void;
  /** The x under the cursor, or null. */
  at: number | null;
  where: (x: number) => string;
  format: (value: number) => string;
}) {
  return (
    <ul class="chart-legend">
      {lines.map((line) => {
        const point =
          at === null ? line.points.findLast(({ y }) => y !== null) : line.points.find(({ x }) => x === at);
        return (
          <li key={line.id}>
            <button
              type="button"
              class="chart-key"
              aria-pressed={!hidden.has(line.id)}
              onClick={() => onToggle(line.id)}
            >
              <Swatch slot={line.slot} />
              <span class="chart-key-label">{line.label}</span>
              <span class="chart-key-value">
                {point === undefined || point.y === null ? '–' : format(point.y)}
              </span>
            </button>
          </li>
        );
      })}
      {at !== null && <li class="chart-at">{where(at)}</li>}
    </ul>
  );
}

/** A sample of the line: its colour and its dashes. */
export function Swatch({ slot }: { slot: number }) {
  return (
    <svg class="chart-swatch" width="26" height="10" aria-hidden="true">
      <line
        x1="1"
        x2="25"
        y1="5"
        y2="5"
        stroke-width="2.5"
        stroke-dasharray={slotDash(slot).join(' ')}
        style={{ stroke: slotColour(slot) }}
      />
    </svg>
  );
}
