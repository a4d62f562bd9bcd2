import { describe, expect, it } from 'vitest';
import { sparkPath } from './sparkline.tsx';

const box = { width: 106, height: 26, bounds: [0, 1] as const };

describe('sparkPath', () => {
  it('runs from the left bottom to the right top inside its margin', () => {
    const points = [0, 0.5, 1].map((y, x) => ({ x, y }));
    expect(sparkPath(points, box)).toEqual({ d: 'M3 23L53 13L103 3', end: [103, 3] });
  });

  it('steps over missing values and is nothing without any', () => {
    const points = [
      { x: 0, y: 0 },
      { x: 1, y: null },
      { x: 2, y: 1 },
    ];
    expect(sparkPath(points, box)?.d).toBe('M3 23L103 3');
    expect(sparkPath([{ x: 0, y: null }], box)).toBeNull();
  });
});
