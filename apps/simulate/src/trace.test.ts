import { describe, expect, it } from 'vitest';
import { UsageError } from './flag.ts';
import { behaviourOf, parseTrace } from './trace.ts';

const csv = 'client,from,to,slowdown,available\n*,,,2,\n2,3,4,10,0.5\n2,4,,,0\n';

describe('a trace', () => {
  it('says how a client behaves in a round; of two lines the last counts, for each value alone', () => {
    const trace = parseTrace(csv, 'x.csv');
    expect(behaviourOf(trace, 1, 9)).toEqual({ slowdown: 2, available: 1 });
    expect(behaviourOf(trace, 2, 2)).toEqual({ slowdown: 2, available: 1 });
    expect(behaviourOf(trace, 2, 3)).toEqual({ slowdown: 10, available: 0.5 });
    expect(behaviourOf(trace, 2, 4)).toEqual({ slowdown: 10, available: 0 });
    expect(behaviourOf(trace, 2, 5)).toEqual({ slowdown: 2, available: 0 });
  });

  it('is the same from JSON', () => {
    const json = JSON.stringify([
      { slowdown: 2 },
      { client: 2, from: 3, to: 4, slowdown: 10, available: 0.5 },
      { client: 2, from: 4, available: 0 },
    ]);
    expect(parseTrace(json, 'x.json')).toEqual(parseTrace(csv, 'x.csv'));
  });

  it.each([
    ['client,speed\n1,2\n', 'has the column "speed"'],
    ['client,slowdown\n1,2\n1,0.5\n', 'line 3, slowdown'],
    ['client,available\n1,often\n', 'line 2, available'],
    ['[{"client": 0}]', 'entry 1, client'],
    ['[{"client": 1', 'no valid JSON'],
    ['[{"speed": 1}]', 'entry 1'],
  ])('is refused with its place: %j', (text, named) => {
    const read = () => parseTrace(text, 'x');
    expect(read).toThrow(UsageError);
    expect(read).toThrow(named);
  });
});
