import { describe, expect, it } from 'vitest';
import { roundOf } from '../live/fixtures.ts';
import { abandonedInRow } from './standing.tsx';

describe('abandonedInRow', () => {
  const abandoned = (attempt: number) => roundOf({ round: 2, attempt, outcome: 'abandoned' });

  it('counts the attempts since the last committed round, and not the open one', () => {
    const rounds = [
      roundOf({ round: 1 }),
      abandoned(1),
      abandoned(2),
      roundOf({ round: 2, attempt: 3, outcome: 'open' }),
    ];
    expect(abandonedInRow(rounds).map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  it('is over with a committed round, and counts from the start where there was none', () => {
    expect(abandonedInRow([abandoned(1), roundOf({ round: 2, attempt: 2 })])).toEqual([]);
    expect(abandonedInRow([abandoned(1)])).toHaveLength(1);
    expect(abandonedInRow([])).toEqual([]);
  });
});
