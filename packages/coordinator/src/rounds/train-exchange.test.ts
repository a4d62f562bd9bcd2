import { ExactSum, RowsSum } from '@coppice/federation';
import type { Ask, Plan } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { runParts } from './run-parts.testing.ts';
import { askToTrain } from './train-exchange.ts';

describe('the exchange of a round', () => {
  it('counts what the opening allows each member at most, and what the plan allows anyone else', () => {
    const { openRound } = runParts({ maxExamples: 500 });
    const { exchange } = openRound(['a', 'b'], { weightCaps: [10, 20] });
    expect(['a', 'b', 'c'].map((id) => exchange.weightCap(id))).toEqual([10, 20, 500]);
    // A round that an earlier version opened has none.
    const earlier = openRound(['a', 'b'], { weightCaps: [] });
    expect(earlier.exchange.weightCap('a')).toBe(500);
  });

  it.each<[Plan['strategy'], typeof ExactSum | typeof RowsSum]>([
    ['fedavg', ExactSum],
    ['median', RowsSum],
  ])('keeps of the answers what the strategy %s needs', (strategy, sum) => {
    expect(runParts({ strategy }).openRound(['a']).exchange.sum).toBeInstanceOf(sum);
  });

  it('closes by seats, and neither waits for members beyond the target nor closes by them', async () => {
    const { openRound, answerOf } = runParts();
    const { open, exchange, closed } = openRound(['a', 'b', 'c'], {
      sizes: { target: 2, asked: 3, quorum: 1 },
      beyond: ['c'],
    });
    for (const id of ['c', 'a']) await exchange.take(id, answerOf(id, open, [1, 1, 1]));
    expect(closed).toEqual([]);
    await exchange.take('b', answerOf('b', open, [1, 1, 1]));
    expect(closed).toEqual([{ outcome: 'enough' }]);
  });
});

describe('the question', () => {
  it('goes to each member with its own ticket and weight, and the time that is left', () => {
    const { state, options, clock, openRound, messages } = runParts();
    const { open, exchange } = openRound(['a', 'b'], { weightCaps: [10, 20], normBounds: { step: 2 } });
    clock.advance(15_000);
    askToTrain(open, state, options);
    askToTrain(open, state, options, ['b']);
    const asks = messages('ask').map(({ to, message }) => ({ to, ask: message as Ask }));
    expect(asks.map(({ to }) => to)).toEqual([['a'], ['b'], ['b']]);
    expect(asks.map(({ to, ask }) => state.tickets.read(ask.ticket, to[0] as string))).toEqual(
      Array(3).fill(exchange.name),
    );
    expect(asks.map(({ ask }) => ask.given)).toEqual(
      [10, 20, 20].map((weightCap) => ({ weightCap, normBounds: { step: 2 } })),
    );
    for (const { ask } of asks)
      expect(ask).toMatchObject({ kind: 'train', round: 1, asked: 2, remaining: 45_000 });
  });

  it('says nothing of bounds that the round does not have', () => {
    const { state, options, openRound, messages } = runParts();
    askToTrain(openRound(['a']).open, state, options);
    expect(messages('ask')).toMatchObject([{ message: { given: { weightCap: 1000 } } }]);
    expect(
      (messages('ask') as { message: Ask }[]).every(({ message }) => !('normBounds' in message.given)),
    ).toBe(true);
  });
});
