import { MAX_WATCHED_RUNS, type RunSummary, type Up } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { summary } from '../session-world.ts';
import { connectedLine } from './parts.testing.ts';
import { RunList, withRuns } from './run-list.ts';

const run = (id: string, change: Partial<RunSummary> = {}): RunSummary => ({ ...summary, id, ...change });
const finished = { status: 'finished' } as const;

function world(listed: RunSummary[]) {
  const { line, peer, store } = connectedLine();
  const asked: Up<'watch'>[] = [];
  peer.answer('watch', (message) => {
    asked.push(message);
    return { ok: true, value: { runs: listed } };
  });
  return { list: new RunList({ line, store }), store, asked };
}

it('has newer words of runs in place of older ones, the newest run first', () => {
  const runs = withRuns([run('r-3'), run('r-1')], [run('r-1', finished), run('r-2')]);
  expect(runs.map(({ id, status }) => [id, status])).toEqual([
    ['r-3', 'running'],
    ['r-2', 'running'],
    ['r-1', 'finished'],
  ]);
});

it('says which runs are over, and asks for those alone that it was not told of', async () => {
  const { list, store, asked } = world([run('r-1', finished)]);
  store.set({ runs: [run('r-2', finished), run('r-3')] });
  expect(await list.over(['r-2', 'r-3'])).toEqual(new Set(['r-2']));
  expect(asked).toEqual([]);
  expect(await list.over(['r-1', 'r-2'])).toEqual(new Set(['r-1']));
  expect(asked).toEqual([{ runs: ['r-1'], arrivals: false }]);
});

it('goes on watching while it asks for others', async () => {
  const { list, asked } = world([]);
  await list.watch(['r-7'], () => null);
  await list.over(['r-1']);
  expect(asked).toEqual([
    { runs: ['r-7'], arrivals: true },
    { runs: ['r-7', 'r-1'], arrivals: true },
  ]);
});

it('watches as many as may be watched, and keeps the run that was joined', async () => {
  const { list, store, asked } = world([run('r-5')]);
  store.set({ runs: [run('r-1'), run('r-2')] });
  await list.watch(
    Array.from({ length: MAX_WATCHED_RUNS + 1 }, (_, i) => `w-${i}`),
    () => 'r-1',
  );
  expect(asked[0]?.runs).toHaveLength(MAX_WATCHED_RUNS);
  expect(store.state.runs.map(({ id }) => id)).toEqual(['r-5', 'r-1']);
});
