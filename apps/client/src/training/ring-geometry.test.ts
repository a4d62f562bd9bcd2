import { describe, expect, it } from 'vitest';
import { arc, MOST_SEGMENTS, segments, share } from './ring-geometry.ts';

describe('arc', () => {
  it('begins at the top and runs clockwise', () => {
    expect(arc(10, 0, 0.25)).toBe('M0 -10A10 10 0 0 1 10 0');
    expect(arc(10, 0.25, 0.5)).toBe('M10 0A10 10 0 0 1 0 10');
  });

  it('takes the long way round past a half', () => {
    expect(arc(10, 0, 0.75)).toBe('M0 -10A10 10 0 1 1 -10 0');
  });

  it('draws a full ring, which one arc cannot', () => {
    expect(arc(10, 0, 1)).toBe('M0 -10A10 10 0 0 1 0 10M0 10A10 10 0 0 1 0 -10');
  });

  it('draws nothing for nothing', () => {
    expect(arc(10, 0.3, 0.3)).toBe('');
    expect(arc(10, 0.3, 0.2)).toBe('');
  });
});

describe('segments', () => {
  it('shares a turn equally, without overlaps', () => {
    for (const count of [2, 5, 20, MOST_SEGMENTS]) {
      const parts = segments(count, 0.007);
      expect(parts).toHaveLength(count);
      for (const [i, part] of parts.entries()) {
        expect(part.to).toBeGreaterThan(part.from);
        if (i > 0) expect(part.from - (parts[i - 1]?.to ?? 0)).toBeCloseTo(0.007);
      }
      expect(parts.at(-1)?.to).toBeCloseTo(1 - 0.0035);
    }
  });

  it('is one piece where pieces could not be told apart', () => {
    expect(segments(MOST_SEGMENTS + 1, 0.007)).toEqual([{ from: 0, to: 1 }]);
    expect(segments(1, 0.007)).toEqual([{ from: 0, to: 1 }]);
    expect(segments(0, 0.007)).toEqual([{ from: 0, to: 1 }]);
  });
});

describe('share', () => {
  it('stays within a turn', () => {
    expect(share(3, 4)).toBe(0.75);
    expect(share(5, 4)).toBe(1);
    expect(share(-1, 4)).toBe(0);
    expect(share(0, 0)).toBe(0);
  });
});
