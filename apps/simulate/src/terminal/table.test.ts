import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DoneEvent, RoundEvent } from '../events.ts';
import { finalTable } from './table.ts';

const done: DoneEvent = {
  event: 'done',
  rounds: 3,
  accuracy: 0.93,
  roundsToTarget: 2,
  checkpoint: 'abc123',
  bytesUp: 2400,
  bytesDown: 2_700_000,
  seconds: 66,
  capped: 0,
  scaled: 0,
};

function roundOf(round: number, given: Partial<RoundEvent> = {}): RoundEvent {
  return {
    event: 'round',
    round,
    accuracy: 0.5,
    loss: 0.5,
    participants: 2,
    bytesUp: 800,
    bytesDown: 900_000,
    seconds: 2,
    capped: 0,
    scaled: 0,
    ...given,
  };
}

/** The lines of the rounds: between the rule and the first empty line. */
function rowsOf(table: string): string[] {
  const lines = table.split('\n');
  const from = lines.findIndex((line) => /^-+$/.test(line)) + 1;
  return lines.slice(from, lines.indexOf('')).filter((line) => !line.startsWith('('));
}

describe('finalTable', () => {
  it('reads like this', () => {
    const rounds = [
      roundOf(1),
      roundOf(2, { accuracy: 0.95, seconds: 62 }),
      roundOf(3, { accuracy: 0.93, loss: null }),
    ];
    expect(finalTable(rounds, done, 0.9)).toBe(
      `
round  accuracy    loss  clients     up      down        time
-------------------------------------------------------------------
    1    50.00%  0.5000        2  800 B  900.0 kB       2.0 s
    2    95.00%  0.5000        2  800 B  900.0 kB  1 min 02 s  best
    3    93.00%       –        2  800 B  900.0 kB       2.0 s

accuracy    93.00% after the last round
best        95.00% in round 2
target      90%, reached in round 2
rounds      3 in 1 min 06 s
traffic     2.40 kB up, 2.70 MB down
checkpoint  abc123`.trimStart(),
    );
  });

  it('lines its columns up, whatever the numbers', () => {
    const event = fc.record({
      accuracy: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
      loss: fc.option(fc.double({ noNaN: true })),
      participants: fc.nat(100_000),
      bytesUp: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
      bytesDown: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
      seconds: fc.double({ min: 0, max: 1e6, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 60 }), (events) => {
        const rounds = events.map((given, index) => roundOf(index + 1, given));
        const table = finalTable(rounds, done);
        const head = table.split('\n')[0] as string;
        // Every heading ends where its column ends: there, each row has a character and then a space.
        for (const name of ['round', 'accuracy', 'loss', 'clients', 'up', 'down', 'time']) {
          const end = head.indexOf(name) + name.length;
          for (const row of rowsOf(table)) expect(row.slice(end - 1, end + 1)).toMatch(/^\S(?:\s|$)/);
        }
        expect(table).not.toMatch(/ $/m);
      }),
    );
  });

  it('shows at most 20 rounds, with the last and the best among them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.nat(), (count, where) => {
        const best = (where % count) + 1;
        const rounds = Array.from({ length: count }, (_, index) =>
          roundOf(index + 1, index + 1 === best ? { accuracy: 0.9 } : {}),
        );
        const table = finalTable(rounds, { ...done, rounds: count });
        const numbers = rowsOf(table).map((row) => Number(row.trim().split(/\s+/)[0]?.replace(',', '')));
        expect(numbers.length).toBeLessThanOrEqual(20);
        expect(numbers.length).toBeGreaterThanOrEqual(Math.min(count, 19));
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
        expect(numbers.at(-1)).toBe(count);
        expect(numbers).toContain(best);
        const left = count - numbers.length;
        expect(table.includes('not shown')).toBe(left > 0);
      }),
    );
  });

  it('tells of updates that limits shortened, where there are any', () => {
    expect(finalTable([roundOf(1)], done)).not.toContain('limited');
    expect(finalTable([roundOf(1)], { ...done, capped: 2, scaled: 1 })).toContain(
      '\nlimited     2 updates at the weight cap, 1 update at the norm bound\n',
    );
  });

  it('has only totals where no round was finished', () => {
    const none = finalTable([], { ...done, rounds: 0, accuracy: null, roundsToTarget: null }, 0.9);
    expect(none.split('\n').slice(0, 2)).toEqual([
      'target      90%, not reached',
      'rounds      none was finished',
    ]);
  });
});
