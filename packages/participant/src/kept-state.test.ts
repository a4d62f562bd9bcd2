import 'fake-indexeddb/auto';
import { deleteDB } from 'idb';
import { describe, expect, it, onTestFinished } from 'vitest';
import { idbState, openStateDb } from './browser/idb-state.ts';
import { welcome } from './contract.ts';
import type { LocalState } from './local-state.ts';
import { memoryState } from './memory-state.ts';
import { asking, doing, ending, scripted, summary, ticketOf, until, world } from './session-world.ts';

/*
 * State between rounds, over the ends of sessions: top10 sends one of two weights, and keeps the other for the next answer.
 * Each training moves both weights by 0.5. So the first answer is (0.5, 0), and the next tells which state it began from:
 * (0, 1) where the first counted, (0.5, 0) where it did not.
 */
const plan = { uploadCodec: 'top10' } as const;
const AFTER = { counted: [0, 1], lost: [0.5, 0] } as const;

type World = Awaited<ReturnType<typeof world>>;

async function delivered({ session, peer, answered }: World, round: number, attempt = 1) {
  peer.push('ask', asking(round, { attempt }));
  await until(session, ({ activity }) => activity.kind === 'delivered' && activity.round === round);
  return answered().at(-1)?.vectors.model;
}

/** A session that goes as far as `reach` takes it, and is then never heard of again. */
async function killed(localState: LocalState, reach: (w: World) => Promise<unknown>): Promise<void> {
  const w = await world({ plan, localState });
  await w.enter();
  await reach(w);
}

/** Local state that never comes back from one call of a method, before or after doing it. */
function stuck(state: LocalState, method: 'stage' | 'settle', when: 'before' | 'after') {
  const reached = Promise.withResolvers<void>();
  const hang = async (work: () => Promise<void>) => {
    if (when === 'after') await work();
    reached.resolve();
    await new Promise<never>(() => {});
  };
  const stage: LocalState['stage'] = (...given) => hang(() => state.stage(...given));
  const settle: LocalState['settle'] = (...given) => hang(() => state.settle(...given));
  return { state: { ...state, ...(method === 'stage' ? { stage } : { settle }) }, reached: reached.promise };
}

/** Pushes the first question, and waits for `what`. */
const until1 = (what: (w: World) => Promise<unknown>) => async (w: World) => {
  w.peer.push('ask', asking(1));
  await what(w);
};

const points: [string, (state: LocalState) => Promise<void>][] = [
  [
    'its answer arrived, and before that was acknowledged',
    (state) =>
      killed(
        state,
        until1(({ peer }) => {
          const arrived = Promise.withResolvers<void>();
          peer.answer('answer', () => {
            arrived.resolve();
            return new Promise(() => {});
          });
          return arrived.promise;
        }),
      ),
  ],
  [
    'its answer was acknowledged',
    (state) =>
      killed(
        state,
        until1(({ session }) => until(session, doing('delivered'))),
      ),
  ],
  [
    'the end of the round came, and before that was noted',
    async (state) => {
      const { state: local, reached } = stuck(state, 'settle', 'before');
      await killed(local, async (w) => {
        await delivered(w, 1);
        w.peer.push('round-end', ending(1));
        await reached;
      });
    },
  ],
];
const verdicts = [
  ['counted', 'counted', true],
  ['did not count', 'lost', false],
] as const;

/** Local states by their platform, each with nothing kept. */
const platforms: [string, () => Promise<LocalState>][] = [
  ['memory', async () => memoryState()],
  [
    'IndexedDB',
    async () => {
      const db = openStateDb();
      onTestFinished(async () => {
        (await db).close();
        await deleteDB('coppice-state');
      });
      return idbState(db);
    },
  ],
];

describe.each(platforms)('with its state in %s', (_platform, empty) => {
  for (const [point, kill] of points) {
    it.each(verdicts)(
      `ends right where a device stops after ${point}: it %s`,
      async (_what, after, verdict) => {
        const state = await empty();
        await kill(state);
        const w = await world({ plan, localState: state });
        w.counted.set(ticketOf(1), verdict);
        await w.enter();
        expect(await delivered(w, 2)).toEqual(AFTER[after]);
        expect(w.messages('counted')).toContainEqual({ run: 'r-1', tickets: [ticketOf(1)] });
      },
    );

    it.each(verdicts)(
      `ends right where a device stops after ${point}, and comes back while the round is open: it %s`,
      async (_what, after, verdict) => {
        const state = await empty();
        await kill(state);
        const w = await world({ plan, localState: state });
        w.counted.set(ticketOf(1), null);
        await w.enter();
        while (w.messages('counted').length === 0) await new Promise(setImmediate);
        w.peer.push('round-end', ending(1, { you: verdict ? 'accepted' : 'late' }));
        expect(await delivered(w, 2)).toEqual(AFTER[after]);
        // The end said it: there was nothing to ask.
        expect(w.messages('counted')).toHaveLength(1);
      },
    );
  }
});

it('keeps the state where the end of its round was noted', async () => {
  const state = memoryState();
  const { state: local, reached } = stuck(state, 'settle', 'after');
  await killed(local, async (w) => {
    await delivered(w, 1);
    w.peer.push('round-end', ending(1));
    await reached;
  });
  const w = await world({ plan, localState: state });
  w.counted.set(ticketOf(1), true);
  await w.enter();
  expect(await delivered(w, 2)).toEqual(AFTER.counted);
});

it('loses nothing where a device stops before its state was staged', async () => {
  const state = memoryState();
  const { state: local, reached } = stuck(state, 'stage', 'before');
  await killed(
    local,
    until1(() => reached),
  );
  const w = await world({ plan, localState: state });
  await w.enter();
  expect(await delivered(w, 1)).toEqual([0.5, 0]);
  expect(w.messages('counted')).toEqual([]);
});

it.each([1, 2])('sends the answer that it staged, and trains no other, in attempt %s', async (attempt) => {
  const state = memoryState();
  const { state: local, reached } = stuck(state, 'stage', 'after');
  await killed(
    local,
    until1(() => reached),
  );
  const trainer = scripted();
  const w = await world({ plan, localState: state, trainer });
  w.counted.set(ticketOf(1), null);
  await w.enter();
  expect(await delivered(w, 1, attempt)).toEqual([0.5, 0]);
  expect(trainer.trained).toBe(0);
  expect(w.answered().map(({ ticket }) => ticket)).toEqual([ticketOf(1, attempt)]);
  w.peer.push('round-end', ending(1, { attempt }));
  expect(await delivered(w, 2)).toEqual(AFTER.counted);
});

it('stages before it sends', async () => {
  const state = memoryState();
  const w = await world({ plan, localState: state });
  await w.enter();
  const staged: unknown[] = [];
  w.peer.answer('answer', async () => {
    staged.push(...(await state.versions('r-1')));
    return { ok: true, value: { duplicate: false, next: null } };
  });
  w.peer.push('ask', asking(1));
  await until(w.session, doing('delivered'));
  expect(staged).toMatchObject([{ ticket: ticketOf(1), round: 1, attempt: 1, counted: false }]);
});

it('drops the state of an answer that was refused for what it is', async () => {
  const state = memoryState();
  const w = await world({ plan, localState: state });
  await w.enter();
  w.peer.answer('answer', () => ({ ok: false, error: { code: 'update-shape', message: 'No.' } }));
  w.peer.push('ask', asking(1));
  await until(w.session, ({ error }) => error?.code === 'update-shape');
  await until(w.session, doing('waiting'));
  expect(await state.versions('r-1')).toEqual([]);
});

it('does not take part where the state cannot be kept', async () => {
  const w = await world({
    plan,
    localState: {
      ...memoryState(),
      stage: () => Promise.reject(new Error('no disk')),
    },
  });
  await w.enter();
  w.peer.push('ask', asking(1));
  while (w.messages('decline').length === 0) await new Promise(setImmediate);
  expect(w.messages('answer')).toEqual([]);
});

/** Rounds 1 to `rounds`, all counted. */
async function trained(w: World, rounds: number): Promise<void> {
  for (let round = 1; round <= rounds; round++) {
    await delivered(w, round);
    w.counted.set(ticketOf(round), true);
    w.peer.push('round-end', ending(round));
  }
}

it('goes back with a coordinator that lost its last rounds', async () => {
  const state = memoryState();
  const before = await world({ plan, localState: state });
  await before.enter();
  await trained(before, 3);
  // (0.5, 0), (0, 1), (1, 0): after each round the other weight's half is kept.
  expect(before.answered().map(({ vectors }) => vectors.model)).toEqual([
    [0.5, 0],
    [0, 1],
    [1, 0],
  ]);
  const w = await world({ plan, localState: state });
  w.counted.set(ticketOf(1), true);
  w.counted.set(ticketOf(2), true);
  await w.enter();
  expect(await delivered(w, 3)).toEqual([1, 0]);
  expect(w.messages('counted')).toEqual([{ run: 'r-1', tickets: [1, 2, 3].map((round) => ticketOf(round)) }]);
});

it('goes back where the round that counted is open again', async () => {
  const state = memoryState();
  const before = await world({ plan, localState: state });
  await before.enter();
  await trained(before, 2);
  const w = await world({ plan, localState: state });
  w.counted.set(ticketOf(1), true);
  w.counted.set(ticketOf(2), null);
  await w.enter();
  expect(await delivered(w, 2)).toEqual([0, 1]);
  w.counted.set(ticketOf(2), true);
  expect(await delivered(w, 3)).toEqual([1, 0]);
});

it('begins anew where none of the last three versions counts any more', async () => {
  const state = memoryState();
  const before = await world({ plan, localState: state });
  await before.enter();
  await trained(before, 5);
  const counted = async () => (await state.versions('r-1')).filter((version) => version.counted);
  while ((await counted()).at(-1)?.round !== 5) await new Promise(setImmediate);
  expect((await state.versions('r-1')).map(({ round }) => round)).toEqual([3, 4, 5]);
  const w = await world({ plan, localState: state });
  await w.enter();
  expect(await delivered(w, 2)).toEqual([0.5, 0]);
});

it('drops versions whose tickets the run does not know', async () => {
  const state = memoryState();
  const before = await world({ plan, localState: state });
  await before.enter();
  await trained(before, 1);
  const w = await world({ plan, localState: state });
  w.peer.answer('counted', () => ({ ok: false, error: { code: 'ticket-invalid', message: 'Unknown.' } }));
  await w.enter();
  expect(await delivered(w, 2)).toEqual(AFTER.lost);
});

it('asks again after a lost line, and keeps to the answer', async () => {
  const w = await world({ plan });
  await w.enter();
  await trained(w, 1);
  w.peer.drop();
  w.counted.set(ticketOf(1), false);
  w.peer.welcome({ ...welcome, runs: [summary] });
  await until(w.session, ({ connection }) => connection === 'online');
  while (w.messages('counted').length === 0) await new Promise(setImmediate);
  expect(await delivered(w, 2)).toEqual(AFTER.lost);
});

it('keeps a version of which nothing is known yet, and trains without it meanwhile', async () => {
  const state = memoryState();
  const w = await world({ plan, localState: state });
  await w.enter();
  await delivered(w, 1);
  w.counted.set(ticketOf(1), null);
  expect(await delivered(w, 2)).toEqual(AFTER.lost);
  w.counted.set(ticketOf(1), true);
  w.counted.set(ticketOf(2), false);
  expect(await delivered(w, 3)).toEqual(AFTER.counted);
});

it('keeps and asks nothing where nothing is kept between rounds', async () => {
  const state = memoryState();
  const w = await world({ localState: state });
  await w.enter();
  await delivered(w, 1);
  await delivered(w, 2);
  w.peer.drop();
  w.peer.welcome({ ...welcome, runs: [summary] });
  await until(w.session, ({ connection }) => connection === 'online');
  await delivered(w, 3);
  expect(w.messages('counted')).toEqual([]);
  expect(await state.runs()).toEqual([]);
});

it.each(['is told', 'is the answer to joining'])('forgets a run whose end %s', async (how) => {
  const state = memoryState();
  const w = await world({ plan, localState: state });
  await w.enter();
  await trained(w, 1);
  while (!(await state.versions('r-1'))[0]?.counted) await new Promise(setImmediate);
  if (how === 'is told') w.peer.push('run-end', { run: 'r-1', status: 'finished', reason: null });
  else {
    w.peer.answer('join', () => ({ ok: false, error: { code: 'run-ended', message: 'Over.' } }));
    w.peer.drop();
    w.peer.welcome({ ...welcome, runs: [summary] });
  }
  while ((await state.runs()).length > 0) await new Promise(setImmediate);
});

it('asks about kept runs that are not listed, and forgets those that are over', async () => {
  const state = memoryState();
  const before = await world({ plan, localState: state });
  await before.enter();
  await trained(before, 1);
  const w = await world({ plan, localState: state });
  const asked: unknown[] = [];
  w.peer.answer('watch', (message) => {
    asked.push(message);
    return { ok: true, value: { runs: [{ ...summary, status: 'failed' }] } };
  });
  // Nothing is asked for while the run is listed.
  w.peer.welcome({ ...welcome, runs: [summary] });
  for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate);
  expect(asked).toEqual([]);
  expect(await state.runs()).toEqual(['r-1']);
  w.peer.drop();
  w.peer.welcome({ ...welcome, runs: [] });
  while ((await state.runs()).length > 0) await new Promise(setImmediate);
  expect(asked).toEqual([{ runs: ['r-1'], arrivals: false }]);
});
