import { describe, expect, it } from 'vitest';
import { columnsPerLine, type Line, type PlotShape, plotData, plotOptions } from './line-plot.ts';

const line = (id: string, points: Line['points']): Line => ({ id, label: id, points, slot: 0 });
const shape = (lines: Line[], extra: Partial<PlotShape> = {}): PlotShape => ({
  lines,
  scale: 'linear',
  smoothing: 0,
  bounds: [null, null],
  bands: [],
  format: String,
  ...extra,
});

describe('plotData', () => {
  const a = line('a', [
    { x: 1, y: 2 },
    { x: 3, y: 4 },
  ]);
  const b = line('b', [{ x: 2, y: 0 }]);

  it('puts runs of different lengths on one axis', () => {
    expect(plotData(shape([a, b]))).toEqual([
      [1, 2, 3],
      [2, null, 4],
      [null, 0, null],
    ]);
  });

  it('keeps what was measured next to what was smoothed', () => {
    const data = plotData(shape([a, b], { smoothing: 0.6 }));
    expect(data).toHaveLength(1 + 2 * columnsPerLine(0.6));
    expect(data[1]).toEqual([2, null, 4]);
    expect(data[2]![0]).toBe(2);
    expect(data[2]![2]).toBeGreaterThan(2);
    expect(data[2]![2]).toBeLessThan(4);
  });

  it('leaves out what a logarithm cannot show', () => {
    expect(plotData(shape([b], { scale: 'log' }))).toEqual([[2], [null]]);
  });
});

describe('plotOptions', () => {
  const palette = {
    slots: ['rgb(1, 2, 3)', 'rgb(4, 5, 6)'],
    ink: 'rgb(0, 0, 0)',
    quiet: 'rgb(9, 9, 9)',
    grid: 'rgb(8, 8, 8)',
    surface: 'rgb(255, 255, 255)',
    font: 'serif',
  };
  const bands = (lines: Line[], smoothing = 0) =>
    plotOptions(shape(lines, { smoothing, bands: [['high', 'low']] }), {
      width: 100,
      height: 100,
      palette: () => palette,
      syncKey: undefined,
      onCursor: () => {},
    }).bands?.map(({ series, fill }) => [
      series,
      typeof fill === 'function' ? fill({} as never, 0, '') : fill,
    ]);
  const [mean, low, high] = ['mean', 'low', 'high'].map((id) => ({ ...line(id, []), slot: 1 })) as [
    Line,
    Line,
    Line,
  ];

  it('fills the space between two lines by their places in the data', () => {
    expect(bands([mean, low, high])).toEqual([[[3, 2], 'rgba(4, 5, 6, 0.125)']]);
    // Each line has its smoothed twin behind it.
    expect(bands([mean, low, high], 0.5)).toEqual([[[6, 4], 'rgba(4, 5, 6, 0.125)']]);
  });

  it('fills nothing where one of the two is hidden', () => {
    expect(bands([mean, low])).toEqual([]);
    expect(bands([high])).toEqual([]);
  });
});
