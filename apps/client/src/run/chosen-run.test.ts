import { MAX_WATCHED_RUNS, type RunSummary } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { chooseRun, linkedRun, openRuns, runsToWatch, stageOf } from './chosen-run.ts';

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
    expect(chooseRun(runs, { linked: 'held', picked: 'later', joined: 'now' })?.id).toBe('now');
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

describe('a run that is over', () => {
  it('gives way to the one that the page was opened for', () => {
    const asked = { ...none, joined: 'done' };
    expect(chooseRun(runs, { ...asked, linked: 'held' })?.id).toBe('held');
    expect(chooseRun(runs, { ...asked, picked: 'later', linked: 'held' })?.id).toBe('later');
    // By itself it stays, with its model, and an open one is not given up for a link.
    expect(chooseRun(runs, asked)?.id).toBe('done');
    expect(chooseRun(runs, { ...none, joined: 'now', linked: 'held' })?.id).toBe('now');
  });

  it('does not make others look as if they were over', () => {
    const [done, , held, now] = runs as [RunSummary, RunSummary, RunSummary, RunSummary];
    const over = { joined: 'done', ended: true, wanted: 'done' };
    expect(stageOf(done, over)).toBe('over');
    expect(stageOf(held, over)).toBe('out');
    expect(stageOf(held, { ...over, wanted: 'held' })).toBe('joining');
    expect(stageOf(null, over)).toBe('over');
    const running = { joined: 'now', ended: false, wanted: 'now' };
    expect(stageOf(now, running)).toBe('in');
    expect(stageOf(now, { ...running, ended: true })).toBe('over');
    expect(stageOf(held, running)).toBe('in');
    expect(stageOf(held, { joined: null, ended: false, wanted: null })).toBe('out');
    expect(stageOf(done, { joined: null, ended: false, wanted: null })).toBe('over');
  });
});

describe('runsToWatch', () => {
  it('has each run once that a wish names or that is open, and nothing that no run can be called', () => {
    expect(runsToWatch([null, 'done', undefined, 'now', '<b>'], openRuns(runs))).toEqual([
      'done',
      'held',
      'later',
      'now',
    ]);
  });

  it('keeps what is wished where there is more than may be watched', () => {
    const many = Array.from({ length: 100 }, (_, n) => run(`r-${n}`, 'running'));
    const watched = runsToWatch(['z-1'], many);
    expect(watched).toHaveLength(MAX_WATCHED_RUNS);
    expect(watched).toContain('z-1');
  });
});

describe('linkedRun', () => {
  it('reads the address', () => {
    expect(linkedRun('?run=iris-3&x=1')).toBe('iris-3');
    expect(linkedRun('')).toBeNull();
  });
});
