import { integerBelow, type RandomSource, seededRandom } from '@coppice/ports';
import { CoppiceError, type Plan, type RunAction } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import type { Storage } from '../storage/storage.ts';
import { launch, leftIn, world } from './run-world.ts';

/** Holds writes until the test lets them go on. */
class Gate {
  #held: (() => void)[] | null = null;

  hold(): void {
    this.#held ??= [];
  }

  get waiting(): number {
    return this.#held?.length ?? 0;
  }

  open(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const go of held) go();
  }

  pass(): Promise<void> {
    const held = this.#held;
    return held === null ? Promise.resolve() : new Promise((resolve) => held.push(resolve));
  }
}

/**
 * A process's way to a storage that outlives it, such as an object store: commits and statuses can be held
 * before (`asked`) and after (`stored`) they are durable. Nothing of a process that was killed becomes durable or is answered.
 */
function slow(durable: Storage) {
  const commits = { asked: new Gate(), stored: new Gate() };
  const statuses = { asked: new Gate(), stored: new Gate() };
  let killed = false;
  const never = new Promise<never>(() => {});
  const held =
    <A extends readonly unknown[]>(gates: typeof commits, write: (...args: A) => Promise<void>) =>
    async (...args: A) => {
      await gates.asked.pass();
      if (killed) return never;
      await write(...args);
      await gates.stored.pass();
      if (killed) return never;
    };
  const storage: Storage = {
    ...durable,
    commit: held(commits, durable.commit),
    putRun: held(statuses, durable.putRun),
    putRound: async (round) => (killed ? never : durable.putRound(round)),
    putMetrics: async (metrics) => (killed ? never : durable.putMetrics(metrics)),
  };
  const openAll = () => {
    for (const gate of [commits.asked, commits.stored, statuses.asked, statuses.stored]) gate.open();
  };
  const kill = () => {
    killed = true;
    openAll();
  };
  return { storage, commits, statuses, openAll, kill };
}

type Process = Awaited<ReturnType<typeof begin>>;

/** A process that finds what is durable. Its participants, 1 and 2, join at once. */
async function begin(durable: Storage, spool = memorySpool(), plan: Partial<Plan> = {}) {
  const { storage, commits, statuses, openAll, kill } = slow(durable);
  const w = await world(plan, { left: { ...(await leftIn(durable, spool)), storage } });
  await w.engine.resumeAfterRestart();
  const over = ['stopped', 'finished'].includes(w.engine.run().status);
  if (!over) for (const n of [1, 2]) w.join(n);
  return {
    ...w,
    commits,
    statuses,
    openAll,
    /** Every participant that was asked and has not delivered does so. */
    deliver: async () => {
      const round = w.engine.openRound();
      for (const { participant, outcome } of round?.cohort ?? [])
        if (outcome === 'asked') await w.engine.answer(participant, w.answerOf(participant, [1, 1, 1]));
      await w.settled();
    },
    /** The process ends without a word; the next one begins. */
    killed: () => {
      kill();
      w.engine.close();
      return begin(durable, spool, plan);
    },
    /** The process ends in good order, its writes end; the next one begins. */
    restarted: async () => {
      openAll();
      await w.settled();
      w.engine.close();
      return begin(durable, spool, plan);
    },
  };
}

async function launched(plan: Partial<Plan> = {}): Promise<{ durable: Storage; first: Process }> {
  const durable = memoryStorage();
  await launch(durable, plan);
  const first = await begin(durable, memorySpool(), plan);
  await first.engine.act('start');
  return { durable, first };
}

/** The run as it is told, and as it is stored. */
async function toldAndStored(durable: Storage, { engine }: Process) {
  const { status, round, checkpoint } = engine.run();
  const [run] = await durable.runs();
  const latest = (await durable.latest('toy-1'))?.checkpoint;
  return {
    told: { status, round, checkpoint },
    stored: { status: run?.status, round: latest?.round, checkpoint: latest?.hash },
  };
}

/** What became of an action: the status that was answered, or the error's code; `null` while it is not answered. */
function acted({ engine }: Process, action: RunAction): { answer: string | null } {
  const act: { answer: string | null } = { answer: null };
  engine.act(action).then(
    () => {
      act.answer = engine.run().status;
    },
    (thrown: unknown) => {
      act.answer = CoppiceError.from(thrown).code;
    },
  );
  return act;
}

const when = ['asked', 'stored'] as const;

it.each(when.flatMap((at) => (['pause', 'stop'] as const).map((action) => [action, at] as const)))(
  '%s during a commit whose write is %s waits for it, tells its round, and outlives a restart',
  async (action, at) => {
    const { durable, first } = await launched();
    first.commits[at].hold();
    await first.deliver();
    expect(first.commits[at].waiting).toBe(1);
    const act = acted(first, action);
    await first.settled();
    expect(act.answer).toBeNull();
    first.commits[at].open();
    await first.settled();
    const status = action === 'stop' ? 'stopped' : 'paused';
    expect(act.answer).toBe(status);
    // The commit was under way first: its round counts, for everybody.
    expect(first.rounds).toMatchObject([{ round: 1, outcome: 'committed' }]);
    expect(first.messages('round-end').map(({ message }) => message.outcome)).toEqual(['committed']);
    // Nobody was asked again.
    expect(first.asks()).toHaveLength(2);
    const { told, stored } = await toldAndStored(durable, first);
    expect(told).toMatchObject({ status, round: 1 });
    expect(stored).toEqual(told);
    const second = await first.restarted();
    expect(await toldAndStored(durable, second)).toEqual({ told, stored });
    expect(second.asks()).toEqual([]);
    if (action === 'stop') return;
    await second.engine.act('resume');
    expect(second.lastAsk().message.round).toBe(2);
  },
);

it('a run that is resumed during the commit in which it was paused goes on', async () => {
  const { durable, first } = await launched();
  first.commits.asked.hold();
  await first.deliver();
  const acts = [acted(first, 'pause'), acted(first, 'resume')];
  await first.settled();
  first.commits.asked.open();
  await first.settled();
  expect(acts.map(({ answer }) => answer)).toEqual(['paused', 'running']);
  expect(first.lastAsk().message.round).toBe(2);
  const second = await first.restarted();
  expect((await toldAndStored(durable, second)).told).toMatchObject({ status: 'running', round: 1 });
});

it.each(['pause', 'stop'] as const)(
  '%s during the last commit tells that the run is finished',
  async (action) => {
    const { durable, first } = await launched({ rounds: 1 });
    first.commits.stored.hold();
    await first.deliver();
    const act = acted(first, action);
    await first.settled();
    first.commits.stored.open();
    await first.settled();
    expect(act.answer).toBe('run-ended');
    const { told, stored } = await toldAndStored(durable, first);
    expect(told).toMatchObject({ status: 'finished', round: 1 });
    expect(stored).toEqual(told);
  },
);

it.each(when)('a process that is killed during a commit, %s, leaves what was answered before', async (at) => {
  const { durable, first } = await launched();
  first.commits[at].hold();
  await first.deliver();
  const act = acted(first, 'stop');
  await first.settled();
  expect(act.answer).toBeNull();
  const second = await first.killed();
  await second.settled();
  // Its updates were acknowledged, so the round is committed either way, once.
  const { told, stored } = await toldAndStored(durable, second);
  expect(told).toMatchObject({ status: 'running', round: 1 });
  expect(stored).toEqual(told);
  await second.engine.act('stop');
  const third = await second.killed();
  expect((await toldAndStored(durable, third)).told).toEqual({ ...told, status: 'stopped' });
});

it('a stop before the commit makes no model of the round that it gives up', async () => {
  const { durable, first } = await launched();
  first.statuses.asked.hold();
  const act = acted(first, 'stop');
  await first.deliver();
  first.statuses.asked.open();
  await first.settled();
  expect(act.answer).toBe('stopped');
  expect(first.rounds).toMatchObject([{ round: 1, outcome: 'abandoned', reason: { code: 'run-ended' } }]);
  const { told, stored } = await toldAndStored(durable, first);
  expect(told).toMatchObject({ status: 'stopped', round: 0 });
  expect(stored).toEqual(told);
});

it('a round whose update could not be kept is not abandoned once it is being stored', async () => {
  const { durable, first } = await launched({ rounds: 9 });
  const failing: (() => void)[] = [];
  first.spool.append = () =>
    new Promise((_, reject) =>
      failing.push(() => reject(new CoppiceError('storage-failed', 'The disk is full.'))),
    );
  first.commits.asked.hold();
  const sent = [1, 2].map((n) => first.answers(n, [1, 1, 1]).catch(() => {}));
  await first.settled();
  expect(first.commits.asked.waiting).toBe(1);
  for (const fail of failing) fail();
  await Promise.all(sent);
  first.commits.asked.open();
  await first.settled();
  expect(first.rounds).toMatchObject([{ round: 1, outcome: 'committed' }]);
  const { told, stored } = await toldAndStored(durable, first);
  expect(told.round).toBe(1);
  expect(stored).toEqual(told);
});

it.each(['pause', 'stop'] as const)(
  '%s that could not be stored is refused, and changes nothing',
  async (action) => {
    const { durable, first } = await launched();
    const putRun = first.storage.putRun;
    first.storage.putRun = () => Promise.reject(new CoppiceError('storage-failed', 'The disk is full.'));
    await expect(first.engine.act(action)).rejects.toMatchObject({ code: 'storage-failed' });
    const { told, stored } = await toldAndStored(durable, first);
    expect(told.status).toBe('running');
    expect(stored).toEqual(told);
    await first.deliver();
    expect(first.lastAsk().message.round).toBe(2);
    first.storage.putRun = putRun;
    await first.engine.act(action);
    expect((await toldAndStored(durable, first)).stored.status).toBe(
      action === 'stop' ? 'stopped' : 'paused',
    );
  },
);

const target = { start: 'running', pause: 'paused', resume: 'running', stop: 'stopped' } as const;
const actions = ['start', 'pause', 'resume', 'pause', 'resume', 'stop'] as const;

function gatesOf({ commits, statuses }: Process): Gate[] {
  return [commits.asked, commits.asked, commits.stored, statuses.asked, statuses.stored];
}

function pick<T>(random: RandomSource, from: readonly T[]): T {
  return from[integerBelow(random, from.length)] as T;
}

it.each(Array.from({ length: 60 }, (_, seed) => seed))(
  'what was answered is what is stored, whatever comes between (seed %i)',
  async (seed) => {
    const random = seededRandom('interleavings', seed);
    const durable = memoryStorage();
    const plan = { rounds: 6 };
    await launch(durable, plan);
    let process = await begin(durable, memorySpool(), plan);
    let answered: string = 'created';
    let acts: { action: keyof typeof target; answer: string | null }[] = [];
    /** Notes what was answered; returns the statuses that actions which were not can still lead to. */
    const note = () => {
      for (const { answer } of acts)
        if (answer !== null && Object.values<string>(target).includes(answer)) answered = answer;
      acts = acts.filter(({ answer }) => answer === null);
      return acts.map(({ action }) => target[action] as string);
    };
    for (let step = 0; step < 40; step++) {
      const what = integerBelow(random, 10);
      if (what < 3) {
        // As many as a hasty admin sends.
        for (let times = 1 + integerBelow(random, 2); times > 0; times--) {
          const action = pick(random, actions.slice(0, seed % 3 === 0 ? 6 : 5));
          acts.push(Object.assign(acted(process, action), { action }));
        }
      } else if (what < 5) await process.deliver();
      else if (what < 7) pick(random, gatesOf(process)).hold();
      else if (what < 9) pick(random, gatesOf(process)).open();
      else {
        const open = note();
        const killed = integerBelow(random, 2) === 0;
        process = await (killed ? process.killed() : process.restarted());
        if (!killed) note();
        acts = [];
        await process.settled();
        const { told } = await toldAndStored(durable, process);
        expect([answered, ...(killed ? open : []), 'finished']).toContain(told.status);
        if (told.status === 'finished') expect(told.round).toBe(6);
        answered = told.status;
      }
      await process.settled();
    }
    process.openAll();
    await process.settled();
    note();
    const { told, stored } = await toldAndStored(durable, process);
    expect(stored).toEqual(told);
    if (told.status !== 'finished') expect(told.status).toBe(answered);
    // Every attempt was told one outcome, and the stored one is the same.
    const committed = (await durable.rounds('toy-1')).filter(({ outcome }) => outcome === 'committed');
    expect(committed.map(({ round }) => round)).toEqual(Array.from({ length: told.round }, (_, i) => i + 1));
    for (const round of process.rounds)
      expect(committed.some((one) => one.round === round.round && one.attempt === round.attempt)).toBe(
        round.outcome === 'committed',
      );
  },
);
