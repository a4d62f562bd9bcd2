import { expect, it } from 'vitest';
import { agreeToLater, laterTerms, runToGoOnWith } from './later-runs.ts';

const [these, those] = ['a'.repeat(64), 'b'.repeat(64)];

it('keeps the terms of each task', () => {
  expect(laterTerms('digits')).toBeNull();
  agreeToLater('digits', these);
  agreeToLater('iris', those);
  expect([laterTerms('digits'), laterTerms('iris')]).toEqual([these, those]);
  agreeToLater('digits', null);
  expect([laterTerms('digits'), laterTerms('iris'), laterTerms('constructor')]).toEqual([null, those, null]);
  expect(laterTerms('digits', { digits: 3 } as never)).toBeNull();
  expect(laterTerms('digits', { digits: '{"numbers":131}' })).toBeNull();
});

it.each([
  ['a running one with the same terms', 'running', 'same', 'digits-1', 'digits-2'],
  ['none with others', 'running', 'other', 'digits-1', null],
  ['none whose terms are not known', 'running', null, 'digits-1', null],
  ['none that does not run', 'created', 'same', 'digits-1', null],
  ['none that was left', 'running', 'same', 'digits-2', null],
])('goes on with %s', (_, status, terms, taken, next) => {
  const runs = [
    { id: 'digits-1', task: 'digits', status: 'finished' },
    { id: 'digits-2', task: 'digits', status },
  ] as const;
  const known = new Map(terms === null ? [] : [['digits-2', terms]]);
  const agreed = (task: string) => (task === 'digits' ? 'same' : null);
  expect(runToGoOnWith(runs as never, taken, known, agreed)).toBe(next);
});

it('stays in the run that goes on', () => {
  const runs = [
    { id: 'digits-1', task: 'digits', status: 'running' },
    { id: 'digits-2', task: 'digits', status: 'running' },
  ] as const;
  expect(runToGoOnWith(runs, 'digits-1', new Map([['digits-2', 'same']]), () => 'same')).toBeNull();
});
