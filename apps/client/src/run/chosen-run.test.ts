import type { RunSummary } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { chooseRun, linkedRun, openRuns } from './chosen-run.ts';

function run(id: string, status: RunSummary['status']): RunSummary {
  return {
    id,
    status,
    admission: 'open',
    task: 'iris',
    title: { en: id },
    phase: 'idle',
    round: 0,
    rounds: 5,
    participants: 0,
    needed: 1,
    deadlineAt: null,
    central: null,
    checkpoint: 'a'.repeat(64),
  };
}
const none = { joined: null, picked: null, linked: null };
const runs = [run('done', 'finished'), run('later', 'created'), run('held', 'paused'), run('now', 'running')];

describe('chooseRun', () => {
  it('takes the first that is running, then those that wait', () => {
    expect(chooseRun(runs, none)?.id).toBe('now');
    expect(openRuns(runs).map(({ id }) => id)).toEqual(['now', 'held', 'later']);
  });

  it('follows the link, the choice on the page, and above all what one takes part in', () => {
    expect(chooseRun(runs, { ...none, linked: 'held' })?.id).toBe('held');
    expect(chooseRun(runs, { ...none, linked: 'held', picked: 'later' })?.id).toBe('later');
    expect(chooseRun(runs, { linked: 'held', picked: 'later', joined: 'done' })?.id).toBe('done');
  });

  it('goes on without a link that leads nowhere, and has none where none is open', () => {
    expect(chooseRun(runs, { ...none, linked: 'gone' })?.id).toBe('now');
    expect(chooseRun([run('done', 'finished')], none)).toBeNull();
  });

  it('comes back to the run last seen here only where none is open', () => {
    expect(chooseRun(runs, { ...none, seen: 'done' })?.id).toBe('now');
    expect(chooseRun([run('done', 'finished')], { ...none, seen: 'done' })?.id).toBe('done');
  });
});

describe('linkedRun', () => {
  it('reads the address', () => {
    expect(linkedRun('?run=iris-3&x=1')).toBe('iris-3');
    expect(linkedRun('')).toBeNull();
  });
});
