import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DoneEvent, RoundEvent } from '../events.ts';
import { createProgress, type ProgressWorld } from './progress.ts';

const done: DoneEvent = {
  event: 'done',
  rounds: 20,
  accuracy: 0.93,
  roundsToTarget: null,
  checkpoint: 'abc123',
  bytesUp: 1,
  bytesDown: 1,
  seconds: 66,
  capped: 0,
  scaled: 0,
};

function roundOf(round: number, given: Partial<RoundEvent> = {}): RoundEvent {
  return {
    event: 'round',
    round,
    accuracy: 0.5,
    loss: 0.25,
    participants: 8,
    bytesUp: 800,
    bytesDown: 900,
    seconds: 3,
    capped: 0,
    scaled: 0,
    ...given,
  };
}

const ESC = '\x1b';
const controls = new RegExp(`(\\r|\\n|${ESC}\\[K)`);
const colours = new RegExp(`${ESC}\\[[\\d;]*m`);

class FakeStream {
  readonly isTTY: boolean;
  readonly columns: number | undefined;
  text = '';

  constructor(isTTY: boolean, columns?: number) {
    this.isTTY = isTTY;
    this.columns = columns;
  }

  write(text: string): boolean {
    this.text += text;
    return true;
  }

  /** What a terminal would show: `\r` goes to the start of the line, `\x1b[K` erases to its end. */
  get screen(): string[] {
    const lines = [''];
    let column = 0;
    for (const piece of this.text.split(controls)) {
      const line = lines.at(-1) as string;
      if (piece === '\r') column = 0;
      else if (piece === '\x1b[K') lines[lines.length - 1] = line.slice(0, column);
      else if (piece === '\n') {
        lines.push('');
        column = 0;
      } else {
        const shown = stripVTControlCharacters(piece);
        lines[lines.length - 1] = line.slice(0, column) + shown + line.slice(column + shown.length);
        column += shown.length;
      }
    }
    return lines;
  }
}

/** A clock that goes on by a second each time it is asked. */
function world(env: ProgressWorld['env'] = {}): ProgressWorld {
  let time = 0;
  return { env, now: () => (time += 1000) };
}

function progressOn(stream: FakeStream, given: ProgressWorld = world()) {
  return createProgress(stream as unknown as NodeJS.WriteStream, { rounds: 20, clients: 8 }, given);
}

describe('on a terminal', () => {
  it('redraws one line', () => {
    const stream = new FakeStream(true, 100);
    const progress = progressOn(stream);
    progress.joined(4);
    expect(stream.screen).toEqual([`joining  ${'━'.repeat(15)}${'─'.repeat(15)}  4/8 clients`]);
    progress.joined(8);
    progress.round(roundOf(1));
    progress.within(4, 8);
    expect(stream.screen).toEqual([
      `round  1/20  ━━${'─'.repeat(28)}  50.00%  ETA 56 s  4/8 updates  loss 0.2500`,
    ]);
    progress.round(roundOf(20));
    expect(stream.screen).toEqual([`round 20/20  ${'━'.repeat(30)}  50.00%  loss 0.2500`]);
    progress.done(done);
    expect(stream.screen).toEqual(['✓ 20 rounds in 1 min 06 s', '']);
  });

  it('never writes past the width of the terminal, nor to its last column', () => {
    const call = fc.oneof(
      fc.record({ kind: fc.constant('joined' as const), n: fc.nat(8) }),
      fc.record({ kind: fc.constant('within' as const), n: fc.nat(8) }),
      fc.record({ kind: fc.constant('round' as const), n: fc.integer({ min: 1, max: 20 }) }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.array(call, { maxLength: 20 }), (columns, calls) => {
        const stream = new FakeStream(true, columns);
        const progress = progressOn(stream);
        for (const { kind, n } of calls) {
          if (kind === 'joined') progress.joined(n);
          else if (kind === 'within') progress.within(n, 8);
          else progress.round(roundOf(n, { loss: 12_345.6, seconds: 4000 }));
          expect(stream.screen).toHaveLength(1);
          expect((stream.screen[0] as string).length).toBeLessThan(Math.max(2, columns));
        }
      }),
    );
  });

  it('judges the time left by the last ten rounds', () => {
    const stream = new FakeStream(true, 100);
    const progress = progressOn(stream);
    progress.round(roundOf(1, { seconds: 1000 }));
    for (let round = 2; round <= 11; round++) progress.round(roundOf(round, { seconds: 2 }));
    expect(stream.screen[0]).toContain('ETA 18 s');
  });

  it('redraws at most every 50 ms, but always what is complete', () => {
    const stream = new FakeStream(true, 100);
    let time = 0;
    const progress = progressOn(stream, { env: {}, now: () => time });
    progress.joined(1);
    time = 49;
    progress.joined(2);
    expect(stream.screen[0]).toContain('1/8 clients');
    time = 50;
    progress.joined(3);
    expect(stream.screen[0]).toContain('3/8 clients');
    progress.joined(8);
    expect(stream.screen[0]).toContain('8/8 clients');
  });

  it('puts a note above the bar, and a failure in its place', () => {
    const stream = new FakeStream(true, 100);
    const progress = progressOn(stream);
    progress.round(roundOf(1));
    const bar = stream.screen[0] as string;
    progress.note('Round 2 was abandoned.');
    expect(stream.screen).toEqual(['Round 2 was abandoned.', bar]);
    progress.fail('The run failed.');
    expect(stream.screen).toEqual(['Round 2 was abandoned.', '✗ The run failed.', '']);
  });

  it('has colours unless NO_COLOR is set', () => {
    const written = (env: ProgressWorld['env']) => {
      const stream = new FakeStream(true, 100);
      const progress = progressOn(stream, world(env));
      progress.round(roundOf(1));
      progress.done(done);
      return stream.text;
    };
    expect(written({})).toMatch(colours);
    expect(written({ NO_COLOR: '' })).toMatch(colours);
    expect(written({ NO_COLOR: '0' })).not.toMatch(colours);
  });

  it('does not pass on control characters of a message', () => {
    const stream = new FakeStream(true, 100);
    progressOn(stream).fail('a\x1b[2J\r\nb\x9b1m');
    expect(stream.text).toBe(`\r${ESC}[K${ESC}[31m✗${ESC}[39m a [2J b 1m\n`);
  });
});

describe('elsewhere', () => {
  it.each([
    ['a pipe', false, {}],
    ['CI', true, { CI: 'true' }],
    ['a terminal that cannot move its cursor', true, { TERM: 'dumb' }],
  ])('writes plain lines: %s', (_, isTTY, env) => {
    const stream = new FakeStream(isTTY, 100);
    const progress = progressOn(stream, world(env));
    for (let clients = 1; clients <= 8; clients++) progress.joined(clients);
    progress.within(4, 8);
    progress.round(roundOf(1));
    progress.round(roundOf(2, { accuracy: null, loss: null, participants: 1 }));
    progress.note('Round 3 was\nabandoned.');
    progress.done(done);
    expect(stream.text).toBe(
      [
        '8 clients joined',
        'round 1/20, accuracy 50.00%, loss 0.2500, 8 updates, 800 B up, 900 B down, 3.0 s',
        'round 2/20, 1 update, 800 B up, 900 B down, 3.0 s',
        'Round 3 was abandoned.',
        'done: 20 rounds in 1 min 06 s',
        '',
      ].join('\n'),
    );
  });

  it('draws live where CI is "false"', () => {
    const stream = new FakeStream(true, 100);
    progressOn(stream, world({ CI: 'false' })).joined(8);
    expect(stream.text).toContain('\r');
  });
});
