import { MAX_WATCHED_RUNS, type Up } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { welcome } from './contract.ts';
import { summary, until, world } from './session-world.ts';

/* A page is told of runs that it has not joined: those that it names, and those that come. */

const over = { ...summary, id: 'r-0', status: 'finished' as const };
const other = { ...summary, id: 'r-2', status: 'created' as const };

/** A session whose coordinator answers `watch` with these. */
async function watching(listed = [summary, over]) {
  const w = await world();
  const asked: Up<'watch'>[] = [];
  w.peer.answer('watch', (message) => {
    asked.push(message);
    return { ok: true, value: { runs: listed } };
  });
  return { ...w, asked };
}

const ids = (runs: readonly { id: string }[]) => runs.map(({ id }) => id);

it('shows no run before those that are watched are known, over or not', async () => {
  const { session, peer, asked } = await watching();
  const seen: string[][] = [];
  session.subscribe(({ connection, runs }) => {
    if (connection === 'online') seen.push(ids(runs));
  });
  await session.watch(['r-0']);
  peer.welcome({ ...welcome, runs: [summary] });
  await until(session, ({ connection }) => connection === 'online');
  expect(asked).toEqual([{ runs: ['r-0'], arrivals: true }]);
  expect(new Set(seen.map(String))).toEqual(new Set(['r-1,r-0']));
});

it('asks on each connection, and at once where the wish changes', async () => {
  const { session, peer, asked } = await watching();
  await session.watch(['r-0']);
  peer.welcome({ ...welcome, runs: [summary] });
  await until(session, ({ connection }) => connection === 'online');
  await session.watch(['r-2']);
  peer.drop();
  peer.welcome({ ...welcome, runs: [summary] });
  await until(session, ({ connection }) => connection === 'online');
  expect(asked.map(({ runs }) => runs)).toEqual([['r-0'], ['r-2'], ['r-2']]);
});

it('shows a run that comes later, and keeps the one that was joined', async () => {
  const { session, peer } = await watching([over]);
  await session.watch([]);
  peer.welcome({ ...welcome, runs: [] });
  await until(session, ({ connection }) => connection === 'online');
  peer.push('run', { run: other, now: 1 });
  expect(ids(session.state.runs)).toEqual(['r-2', 'r-0']);
  // The reply to "join" tells of a run that no list had.
  await session.join('r-1');
  expect(ids(session.state.runs)).toEqual(['r-2', 'r-1', 'r-0']);
  await session.watch(['r-0']);
  expect(ids(session.state.runs)).toEqual(['r-1', 'r-0']);
});

it('is welcomed by the next connection where the line breaks while it asks', async () => {
  const { session, peer, asked } = await watching();
  peer.answer('watch', () => new Promise(() => {}));
  await session.watch(['r-0']);
  peer.welcome({ ...welcome, runs: [summary] });
  peer.drop();
  peer.answer('watch', (message) => {
    asked.push(message);
    return { ok: true, value: { runs: [summary] } };
  });
  peer.welcome({ ...welcome, runs: [summary] });
  await until(session, ({ connection }) => connection === 'online');
  expect(asked).toHaveLength(1);
  expect(session.state.error).toBeNull();
});

it('asks for no more than the coordinator takes', async () => {
  const { session, peer, asked } = await watching();
  await session.watch(Array.from({ length: MAX_WATCHED_RUNS + 5 }, (_, n) => `r-${n}`));
  peer.welcome({ ...welcome, runs: [] });
  await until(session, ({ connection }) => connection === 'online');
  expect(asked[0]?.runs).toHaveLength(MAX_WATCHED_RUNS);
});
