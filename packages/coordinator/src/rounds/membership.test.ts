import { CoppiceError, type Join } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { Membership } from './membership.ts';
import { runParts } from './run-parts.testing.ts';

const about: Join = {
  run: 'toy-1',
  device: 'headless',
  backend: 'cpu',
  examples: 10,
  speed: null,
  paused: false,
};

function members(...ids: string[]) {
  const parts = runParts({ epochs: 2 });
  const membership = new Membership(parts.state, parts.log, parts.options);
  for (const id of ids) membership.join(id, about);
  parts.events.length = 0;
  const outcomeOf = (id: string) => parts.state.exchanges.round?.exchange.cohort.get(id)?.outcome;
  return { ...parts, membership, outcomeOf };
}

describe('a join', () => {
  it('is logged once for each time that a participant comes', () => {
    const { membership, kinds } = members('a');
    membership.join('a', about);
    membership.connectionLost('a');
    membership.join('a', about);
    expect(kinds()).toEqual([]);
    membership.leave('a');
    membership.join('a', about);
    expect(kinds()).toEqual(['participant-left', 'participant-joined']);
  });

  it('is what the open round waited for where its member was away', () => {
    const { membership, openRound, outcomeOf } = members('a', 'b');
    openRound(['a', 'b']);
    membership.connectionLost('a');
    expect(outcomeOf('a')).toBe('away');
    membership.join('a', about);
    expect(outcomeOf('a')).toBe('asked');
  });
});

describe('a member that goes', () => {
  it.each(['leave', 'putOut'] as const)('by %s is not waited for, and goes once', (how) => {
    const { membership, openRound, outcomeOf, kinds, state } = members('a', 'b');
    openRound(['a', 'b']);
    const go = () =>
      how === 'leave'
        ? membership.leave('a')
        : membership.putOut('a', new CoppiceError('run-not-admitted', 'No more.'));
    go();
    go();
    membership.connectionLost('a');
    expect(outcomeOf('a')).toBe(how === 'leave' ? 'left' : 'refused');
    expect(state.members.get('a')?.presence).toBe('left');
    expect(kinds()).toEqual([how === 'leave' ? 'participant-left' : 'participant-put-out']);
    expect(state.members.get('a')?.lastError?.code).toBe(how === 'leave' ? undefined : 'run-not-admitted');
  });

  it('by a broken connection may come back for as long as the exchange has grace', () => {
    const { membership, openRound, outcomeOf, clock, state } = members('a', 'b');
    openRound(['a', 'b']);
    membership.connectionLost('a');
    clock.advance(4999);
    expect(outcomeOf('a')).toBe('away');
    membership.returned('a');
    expect(outcomeOf('a')).toBe('asked');
    expect(state.members.get('a')?.presence).toBe('here');
    membership.connectionLost('a');
    clock.advance(5000);
    expect(outcomeOf('a')).toBe('left');
  });

  it('is nobody where it never joined', () => {
    const { membership, told, kinds } = members();
    membership.leave('stranger');
    membership.putOut('stranger', new CoppiceError('run-not-admitted', 'No.'));
    membership.connectionLost('stranger');
    expect(told).toEqual({ run: 0, participants: 0 });
    expect(kinds()).toEqual([]);
    expect(() => membership.availability('stranger', { run: 'toy-1', paused: false, examples: 1 })).toThrow(
      expect.objectContaining({ code: 'not-joined' }),
    );
  });
});

it('has rows tell of answers that counted and of those that were refused, which are logged once an attempt', () => {
  const { membership, state, kinds, openRound, answerOf } = members('a');
  const { open } = openRound(['a']);
  const refused = new CoppiceError('update-shape', 'It has another shape.');
  membership.refused('a', refused, false);
  membership.refused('a', refused, true);
  expect(kinds()).toEqual(['update-refused']);
  expect(state.members.get('a')?.lastError).toMatchObject({ code: 'update-shape' });
  // 30 examples, twice, in 10 ms.
  membership.counted('a', answerOf('a', open, [0, 0, 0], 30));
  expect(state.members.get('a')).toMatchObject({
    progress: 1,
    roundsDelivered: 1,
    lastError: null,
    speed: 6000,
  });
  membership.counted('a', { ...answerOf('a', open, [0, 0, 0]), milliseconds: 0 });
  expect(state.members.get('a')).toMatchObject({ roundsDelivered: 2, speed: 6000 });
});
