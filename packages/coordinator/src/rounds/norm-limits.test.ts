import type { Plan } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import { id, launch, leftIn, world } from './run-world.ts';

/* An update counts for as much as limits let it, and the record says so. */

type World = Awaited<ReturnType<typeof world>>;

const PLAN: Partial<Plan> = {
  rounds: 4,
  minParticipants: 3,
  quorum: 1,
  evaluationShare: 0.1,
  normFactor: 3,
  firstNorm: 30,
};

async function round(w: World, changes: readonly (readonly number[])[], weight = 1): Promise<void> {
  for (const [n, change] of changes.entries()) await w.answers(n + 1, change, weight);
  await w.settled();
}

async function started(plan: Partial<Plan> = PLAN, examples = [1000, 1000, 1000]): Promise<World> {
  const w = await world(plan);
  for (const [n, own] of examples.entries()) w.join(n + 1, undefined, own);
  await w.engine.act('start');
  return w;
}

/** The newest record of the last round that was committed; a round is told again when its measurements come. */
function last(w: World) {
  const newest = Math.max(...w.rounds.map(({ round }) => round));
  return w.rounds.findLast(({ round }) => round === newest);
}

const THREE = [
  [3, 0, 0],
  [0, 3, 0],
  [0, 0, 3],
];

it('scales down what is longer than some medians of the last rounds, and counts it so', async () => {
  const w = await started();
  expect(w.lastAsk().message.given).toEqual({ weightCap: expect.any(Number), normBounds: { model: 30 } });
  await round(w, THREE);
  expect(last(w)).toMatchObject({ normBounds: { model: 30 }, norms: { model: [4] }, scaled: 0 });
  expect(w.events).not.toContain('updates-shortened');
  // The median of three norms, rounded up to a power of two, times the factor.
  expect(w.lastAsk().message.given.normBounds).toEqual({ model: 12 });
  const before = (await w.storage.latest('toy-1'))?.weights as Float32Array;
  await round(w, [
    [3, 0, 0],
    [3, 0, 0],
    [0, 0, 900],
  ]);
  expect(last(w)).toMatchObject({
    accepted: 3,
    refused: 0,
    scaled: 1,
    capped: 0,
    normBounds: { model: 12 },
  });
  // It counts as 12 long, as it is written down as it came.
  const after = (await w.storage.latest('toy-1'))?.weights as Float32Array;
  const moved = [...after].map((weight, i) => weight - (before[i] as number));
  expect(moved[0]).toBeCloseTo(2, 4);
  expect(moved[2]).toBeCloseTo(4, 4);
  expect(last(w)?.norms).toEqual({ model: [4, 4] });
  expect(w.logged).toContainEqual({ kind: 'updates-shortened', round: 2 });
});

it('lets the bound at most double, however long the updates of all become', async () => {
  const w = await started({ ...PLAN, firstNorm: 4 });
  const long = THREE.map((change) => change.map((value) => 100 * value));
  for (const bound of [4, 8, 16]) {
    expect(w.lastAsk().message.given.normBounds).toEqual({ model: bound });
    await round(w, long);
    expect(last(w)).toMatchObject({ outcome: 'committed', scaled: 3 });
  }
});

it('goes on with the bounds after a restart', async () => {
  const [storage, spool] = [memoryStorage(), memorySpool()];
  await launch(storage, PLAN);
  const first = await world(PLAN, { left: await leftIn(storage, spool) });
  for (const n of [1, 2, 3]) first.join(n);
  await first.engine.act('start');
  await round(first, THREE);
  first.engine.close();
  const next = await world(PLAN, { left: await leftIn(storage, spool) });
  await next.engine.resumeAfterRestart();
  for (const n of [1, 2, 3]) next.join(n);
  await round(next, THREE);
  expect(last(next)).toMatchObject({ round: 2, normBounds: { model: 12 }, norms: { model: [4, 4] } });
});

it('bounds nothing where the plan says so', async () => {
  const w = await started({ ...PLAN, normFactor: null });
  await round(w, [...THREE.slice(1), [900, 0, 0]]);
  expect(last(w)).toMatchObject({ outcome: 'committed', scaled: 0 });
  expect(last(w)?.normBounds).toBeUndefined();
});

it('counts at the cap what announced far more than the others, from the next round on', async () => {
  const w = await started(PLAN, [10, 10, 10]);
  expect(w.lastAsk().message.given.weightCap).toBe(10);
  await round(w, THREE, 10);
  expect(last(w)).toMatchObject({ examples: 30, capped: 0 });
  // The open round keeps the caps of its opening.
  w.engine.availability(id(3), { run: 'toy-1', paused: false, examples: 90_000 });
  await round(w, THREE, 90_000);
  expect(last(w)).toMatchObject({ examples: 30, capped: 3 });
  await round(w, THREE, 90_000);
  // Three times the median of 10, rounded up to a power of two: told, and counted.
  expect(last(w)).toMatchObject({ examples: 52, capped: 3 });
  expect(w.lastAsk().message.given.weightCap).toBe(32);
  expect(w.logged).toContainEqual({ kind: 'updates-shortened', round: 3 });
});

it('says that nobody could tell a loss of a model', async () => {
  const w = await started();
  await round(w, THREE);
  expect(w.events).not.toContain('federated-loss-null');
  const evaluation = { loss: null, accuracy: 0.25, examples: 4 };
  for (const [n, change] of THREE.entries()) await w.answers(n + 1, change, 1, { evaluation });
  await w.settled();
  expect(w.logged).toContainEqual({ kind: 'federated-loss-null', round: 1 });
});

it('counts no more held-out examples of a participant than it announced, whatever it says', async () => {
  const six = [...THREE, ...THREE];
  const w = await started({ ...PLAN, minParticipants: 6 }, [10, 10, 10, 10, 10, 10]);
  await round(w, six);
  const measured = (n: number) =>
    n === 0
      ? { loss: 0, accuracy: 1, examples: 100_000 }
      : { loss: 2, accuracy: 0.5, examples: n === 1 ? 10 : 4 };
  for (const [n, change] of six.entries()) await w.answers(n + 1, change, 1, { evaluation: measured(n) });
  await w.settled();
  const made = w.rounds.findLast(({ round, federated }) => round === 1 && federated !== null);
  // 10 of the liar's, 10 and four times 4 of the others.
  expect(made?.federated).toEqual({ loss: (26 * 2) / 36, accuracy: (10 + 26 * 0.5) / 36, examples: 36 });
  expect(made?.spread?.accuracy).toMatchObject({ median: 0.5, participants: 6 });
});

it('weighs a training loss by the examples that count', async () => {
  const w = await started({ ...PLAN, maxExamples: 1000 }, [10, 10, 10]);
  for (const [n, change] of THREE.entries())
    await w.answers(n + 1, change, n === 0 ? 1000 : 10, { loss: n === 0 ? 9 : 3 });
  await w.settled();
  expect(w.rounds.findLast(({ outcome }) => outcome === 'committed')?.trainingLoss).toBe(5);
});

it('tells of a loss that most could not tell, though some could', async () => {
  const w = await started();
  await round(w, THREE);
  for (const [n, change] of THREE.entries())
    await w.answers(n + 1, change, 1, {
      evaluation: { loss: n === 0 ? 0 : null, accuracy: 0.25, examples: 4 },
    });
  await w.settled();
  expect(w.logged).toContainEqual({ kind: 'federated-loss-null', round: 1 });
});
