import { expect, it } from 'vitest';
import { RoundPhase } from './round-phase.ts';
import { runParts } from './run-parts.testing.ts';

it('keeps the time that the open round spends in each phase, and tells of each step', () => {
  const { state, options, clock, rounds, told, openRound } = runParts();
  const phase = new RoundPhase(state, options);
  phase.step('begin');
  clock.advance(1000);
  phase.step('enough');
  // Between rounds there is none to tell of, and no time to keep.
  expect(rounds).toEqual([]);
  const { open } = openRound(['a']);
  clock.advance(20);
  phase.step('selected');
  clock.advance(3);
  phase.step('distributed');
  clock.advance(400);
  phase.step('collected');
  expect(phase.now).toBe('aggregate');
  expect(open.phases).toEqual({ select: 20, distribute: 3, collect: 400 });
  expect(rounds.at(-1)).toMatchObject({ round: 1, outcome: 'open', phases: open.phases });
  expect(told.run).toBe(5);
});

it('takes no step that its phase does not have, and stays as it was', () => {
  const { state, options, told } = runParts();
  const phase = new RoundPhase(state, options);
  expect(() => phase.step('committed')).toThrow('idle');
  expect(phase.now).toBe('idle');
  expect(told.run).toBe(0);
});
