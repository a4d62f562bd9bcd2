import { describe, expect, it } from 'vitest';
import { columnsPerLine, type Line, type PlotShape, plotData } from './line-plot.ts';

const line = (id: string, points: Line['points']): Line => ({ id, label: id, points, slot: 0 });
const shape = (lines: Line[], extra: Partial<PlotShape> = {}): PlotShape => ({
  lines,
  scale: 'linear',
  smoothing: 0,
  bounds: [null, null],
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
