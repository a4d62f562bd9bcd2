import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dueAfter, parseCron, type Schedule } from './cron.ts';

const at = (text: string) => Date.parse(`${text}Z`);
const next = (line: string, after: string) => {
  const due = dueAfter(parseCron(line) as Schedule, at(after));
  return due === null ? null : new Date(due).toISOString().slice(0, 16);
};

describe('a schedule', () => {
  it.each([
    ['0 3 * * *', '2026-03-01T02:59', '2026-03-01T03:00'],
    ['0 3 * * *', '2026-03-01T03:00', '2026-03-02T03:00'],
    ['*/15 * * * *', '2026-03-01T03:16', '2026-03-01T03:30'],
    ['30 8-17/3 * * 1-5', '2026-03-06T17:31', '2026-03-09T08:30'],
    ['0 0 1 1 *', '2026-01-01T00:00', '2027-01-01T00:00'],
    ['0 0 29 2 *', '2096-03-01T00:00', '2104-02-29T00:00'],
    ['0 0 * * 7', '2026-03-02T00:00', '2026-03-08T00:00'],
    // Either of both days, as in POSIX.
    ['0 0 13 * 5', '2026-03-01T00:00', '2026-03-06T00:00'],
    ['5/20 0 * * *', '2026-03-01T00:06', '2026-03-01T00:25'],
    ['0,10 0 * 4 *', '2026-03-01T00:00', '2026-04-01T00:00'],
  ])('%s is due after %s at %s', (line, after, due) => {
    expect(next(line, after)).toBe(due);
  });

  it.each(['0 0 30 2 *', '0 0 31 2,4,6,9,11 *'])('%s is never due', (line) => {
    expect(next(line, '2026-01-01T00:00')).toBeNull();
  });

  it.each([
    '',
    '* * * *',
    '60 * * * *',
    '* 24 * * *',
    '* * 0 * *',
    '* * * 13 *',
    '* * * * 8',
    '5-1 * * * *',
    '*/0 * * * *',
    'x * * * *',
    '1- * * * *',
    '* * * * * *',
  ])('"%s" is none', (line) => {
    expect(parseCron(line)).toBeNull();
  });

  it('is due at the first minute that its fields have, as a walk through all minutes finds', () => {
    const field = (least: number, most: number) =>
      fc.oneof(
        fc.constant('*'),
        fc.integer({ min: least, max: most }).map(String),
        fc
          .tuple(fc.integer({ min: least, max: most }), fc.integer({ min: least, max: most }))
          .map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
      );
    fc.assert(
      fc.property(
        field(0, 59),
        field(0, 23),
        field(1, 28),
        field(0, 6),
        fc.nat(2_000_000),
        (minute, hour, day, week, start) => {
          const after = at('2026-01-01T00:00') + start * 60_000;
          const has = (text: string, value: number) => {
            const [from, to] = text === '*' ? [0, 60] : text.split('-').map(Number);
            return value >= (from ?? 0) && value <= (to ?? from ?? 0);
          };
          const due = dueAfter(parseCron(`${minute} ${hour} ${day} * ${week}`) as Schedule, after) as number;
          const fits = (time: number) => {
            const date = new Date(time);
            const [inMonth, inWeek] = [has(day, date.getUTCDate()), has(week, date.getUTCDay())];
            const days = day === '*' || week === '*' ? inMonth && inWeek : inMonth || inWeek;
            return has(minute, date.getUTCMinutes()) && has(hour, date.getUTCHours()) && days;
          };
          expect(fits(due)).toBe(true);
          for (let time = Math.max(after + 60_000, due - 3 * 86_400_000); time < due; time += 60_000)
            if (fits(time)) throw new Error(`due before, at ${new Date(time).toISOString()}`);
        },
      ),
      { numRuns: 60 },
    );
  });
});
