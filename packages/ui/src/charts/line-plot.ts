import type uPlot from 'uplot';
import { type Palette, slotDash } from './palette.ts';
import { type Point, smooth, smoothingWidth } from './smooth.ts';
import { joinLines } from './table-data.ts';

/** One line of a chart. */
export interface Line {
  readonly id: string;
  readonly label: string;
  /** Sorted by x. */
  readonly points: readonly Point[];
  /** Index into the palette's eight pairs of colour and dash. */
  readonly slot: number;
  /** True for the limits of an interval: a thin line, and left out of the chart's sentence. */
  readonly faint?: boolean;
}

export type LineScale = 'linear' | 'log';

export interface PlotShape {
  readonly lines: readonly Line[];
  readonly scale: LineScale;
  readonly smoothing: number;
  /** Limits of the axis, e.g. [0, 1] for an accuracy. */
  readonly bounds: readonly [number | null, number | null];
  /** Pairs of lines by their ids, upper and lower, with the space between them filled while both are shown. */
  readonly bands: readonly (readonly [string, string])[];
  readonly format: (value: number) => string;
}

/** uPlot's columns: x, then for each line the measured values and, with smoothing, its smoothed twin. */
export function plotData({ lines, scale, smoothing }: PlotShape): uPlot.AlignedData {
  const shown = lines.map((line) =>
    scale === 'linear'
      ? line.points
      : // A logarithm has no place for zero.
        line.points.map((point) => (point.y !== null && point.y > 0 ? point : { x: point.x, y: null })),
  );
  const { x, y } = joinLines(shown);
  if (smoothing <= 0) return [x, ...y];
  const tau = smoothingWidth(smoothing, (x.at(-1) ?? 0) - (x[0] ?? 0));
  const smoothed = joinLines(
    shown.map((points) => {
      const values = smooth(points, tau);
      return points.map((point, index) => ({ x: point.x, y: values[index]! }));
    }),
  ).y;
  return [x, ...y.flatMap((column, index) => [column, smoothed[index]!])];
}

/** Number of columns of `plotData` for one line. */
export function columnsPerLine(smoothing: number): number {
  return smoothing > 0 ? 2 : 1;
}

const FEW_POINTS = 40;

/** uPlot's options. Colours are read at every drawing, so that a change of theme needs only a redraw. */
export function plotOptions(
  shape: PlotShape,
  frame: {
    readonly width: number;
    readonly height: number;
    readonly palette: () => Palette;
    readonly syncKey: string | undefined;
    /** The x under the cursor. */
    readonly onCursor: (x: number | null) => void;
  },
): uPlot.Options {
  const { palette } = frame;
  const font = `12px ${palette().font}`;
  const axis = {
    stroke: () => palette().quiet,
    grid: { stroke: () => palette().grid, width: 1 },
    ticks: { show: false },
    font,
    gap: 6,
  };
  return {
    width: frame.width,
    height: frame.height,
    padding: [10, 14, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      // Zooming by drag has no keyboard twin, and a run's rounds fit the width anyway.
      drag: { x: false, y: false, setScale: false },
      points: { size: 8, width: 2, fill: () => palette().surface },
      ...(frame.syncKey === undefined
        ? {}
        : { sync: { key: frame.syncKey, setSeries: false, scales: ['x', null] } }),
    },
    scales: {
      x: {
        time: false,
        range: (_plot, min, max) => (min === max ? [min - 1, max + 1] : [min, max]),
      },
      y: {
        distr: shape.scale === 'log' ? 3 : 1,
        range: (_plot, min, max) => yRange(min, max, shape),
      },
    },
    axes: [
      { ...axis, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000], size: 28 },
      {
        ...axis,
        space: 26,
        size: (_plot, values) => 16 + 7 * Math.max(3, ...(values ?? []).map((value) => value?.length ?? 0)),
        values: (_plot, splits) => splits.map((split) => (split === null ? '' : shape.format(split))),
      },
    ],
    series: [{}, ...shape.lines.flatMap((line) => seriesOf(line, shape.smoothing > 0, palette))],
    bands: bandsOf(shape, palette),
    hooks: { setCursor: [(plot) => frame.onCursor(plot.data[0]?.[plot.cursor.idx ?? -1] ?? null)] },
  };
}

function bandsOf({ bands, lines, smoothing }: PlotShape, palette: () => Palette): uPlot.Band[] {
  const columns = columnsPerLine(smoothing);
  return bands.flatMap(([upper, lower]): uPlot.Band[] => {
    const above = lines.findIndex(({ id }) => id === upper);
    const below = lines.findIndex(({ id }) => id === lower);
    const slot = lines[above]?.slot;
    if (slot === undefined || below < 0) return [];
    // The first column is x, and the last of a line is its smoothed twin.
    const place = (at: number) => (at + 1) * columns;
    const fill = () => translucent(palette().slots[slot % palette().slots.length] ?? palette().ink);
    return [{ series: [place(above), place(below)], fill }];
  });
}

/** A resolved colour, `rgb(…)`, at an eighth of its strength. */
function translucent(colour: string): string {
  return colour.replace(/^rgb\((.*)\)$/, 'rgba($1, 0.125)');
}

function seriesOf(line: Line, smoothed: boolean, palette: () => Palette): uPlot.Series[] {
  const stroke = () => palette().slots[line.slot % palette().slots.length] ?? palette().ink;
  const base = { stroke, spanGaps: true, dash: slotDash(line.slot), label: line.label };
  const few = line.points.filter((point) => point.y !== null).length <= FEW_POINTS;
  const points = { show: few, size: 5, width: 1.5, stroke, fill: () => palette().surface };
  if (line.faint === true && !smoothed) return [{ ...base, width: 1, dash: [], points: { show: false } }];
  if (!smoothed) return [{ ...base, width: 2, points }];
  return [
    { ...base, width: 1, alpha: 0.45, dash: [], points: { show: false } },
    { ...base, width: 2.25, points: { show: false } },
  ];
}

function yRange(min: number | null, max: number | null, shape: PlotShape): [number, number] {
  if (min === null || max === null) return shape.scale === 'log' ? [0.1, 1] : [0, 1];
  if (shape.scale === 'log') {
    return min === max ? [min / 2, max * 2] : [min / 1.15, max * 1.15];
  }
  const pad = min === max ? Math.abs(max) * 0.1 || 0.1 : (max - min) * 0.08;
  const [lowest, highest] = shape.bounds;
  return [Math.max(min - pad, lowest ?? -Infinity), Math.min(max + pad, highest ?? Infinity)];
}
