import { consentVersion, identityOf, Monitor, summarise } from '@coppice/continuity';
import { builtInTask } from '@coppice/datasets';
import { ManualClock } from '@coppice/ports';
import type { Down, Release, ReleaseNews, Reply, Task, TaskAsk, UpValue } from '@coppice/protocol';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Coordinator, startCoordinator } from '../coordinator.ts';
import { armOf, type Canary } from '../releases/arms.ts';
import { newFiring } from '../storage/firing.testing.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import { newModel, newRun } from '../storage/new-run.testing.ts';
import { agreedReference, reportAnswer } from '../watch/report.testing.ts';
import { release, savePolicy, watching } from '../watch/watched.testing.ts';
import { type Connected, connectParticipant, next } from './participant.testing.ts';

const EPOCH = 1_760_000_000_000;
const iris = builtInTask('iris') as Task;
const reference = agreedReference(iris);
const { periodMilliseconds, watch } = watching;
const consent = consentVersion({ binning: reference, periodMilliseconds, minimum: watch.minimum });
const offer = { task: 'iris', consent, recipe: reference.recipe };
const firing = { ...newFiring({ task: 'iris', secret: 'a secret of a firing' }), sequence: 1, revision: 1 };

let coordinator: Coordinator;
let production: Release;
let connections: Connected[];

beforeEach(async () => {
  const storage = memoryStorage();
  connections = [];
  await savePolicy(storage, 'iris', watching, EPOCH);
  production = await release(storage, iris, reference);
  const run = await storage.createRun(newRun(new Float32Array([1, 2]), { task: iris, status: 'stopped' }));
  await storage.commit(newModel(run, 1, new Float32Array([9, 9])));
  coordinator = await startCoordinator({
    config: { port: 0, logLevel: 'silent' },
    storage,
    spool: memorySpool(),
    clock: new ManualClock(EPOCH),
  });
});
afterEach(async () => {
  for (const { socket } of connections) socket.disconnect();
  await coordinator.close();
});

const connect = async () => {
  const made = await connectParticipant(coordinator.url);
  connections.push(made);
  return made;
};
/** The next news of releases to a participant. */
const news = ({ socket }: Connected) => next<ReleaseNews>(socket, 'release');
/** Offers reports, and waits for the question. */
const asked = async ({ socket }: Connected) => {
  const question = next<TaskAsk>(socket, 'ask');
  await socket.emitWithAck('monitor', offer);
  return question;
};
/** Begins a canary, as a firing does: it knows of the move before others are told. */
async function begun(): Promise<{ move: Release; canary: Canary }> {
  const { canaries } = coordinator.firings;
  // The storage has no firing: what it would take up is given to it here.
  const moved = canaries.moved.bind(canaries);
  canaries.moved = (of) => moved(of, firing);
  const move = await coordinator.releases.move('iris', 'canary', {
    checkpoint: 'iris-2/1',
    expected: null,
    reason: 'Tried by a test.',
    by: { by: 'trigger', name: 'drift', firing: 1 },
  });
  return { move, canary: canaries.of('iris') as Canary };
}
const named = ({ sequence, checkpoint, hash }: Release) => ({ sequence, checkpoint, hash });

it('tells a participant that monitors a task what is released, before it is asked, and each move of a channel', async () => {
  const one = await connect();
  expect(one.welcome.releases).toBeUndefined();
  const order: string[] = [];
  for (const name of ['release', 'ask']) one.socket.on(name, () => order.push(name));
  const told = news(one);
  await asked(one);
  expect(await told).toEqual({ task: 'iris', production: named(production), canary: null });
  expect(order).toEqual(['release', 'ask']);
  const moved = news(one);
  const other = await coordinator.releases.move('iris', 'production', {
    checkpoint: 'iris-2/1',
    expected: production.sequence,
    reason: 'Better.',
    by: { by: 'admin', name: 'a test' },
  });
  expect(await moved).toEqual({ task: 'iris', production: named(other), canary: null });
});

it('tells the arm of a canary when it begins and in the welcome, and takes no report of another arm', async () => {
  const one = await connect();
  await asked(one);
  const told = news(one);
  const { move, canary } = await begun();
  const arm = armOf(canary, one.id);
  const expected = { task: 'iris', production: named(production), canary: { ...named(move), arm } };
  expect(await told).toEqual(expected);
  // Connections come until all arms were seen: with a share of 0.2 each, 200 miss one once in 10¹⁹.
  const seen = new Map([[arm, one]]);
  for (let i = 0; i < 200 && seen.size < 3; i++) {
    const connected = await connect();
    const own = armOf(canary, connected.id);
    const releases = (connected.welcome as Down<'welcome'>).releases;
    expect(releases).toEqual(
      own === 'none' ? undefined : [{ ...expected, canary: { ...expected.canary, arm: own } }],
    );
    seen.set(own, connected);
  }
  expect(seen.size).toBe(3);
  for (const [own, connected] of seen) {
    const { ticket } = await asked(connected);
    const send = (counts: 'canary' | 'control' | null): Promise<Reply<UpValue<'answer'>>> => {
      const { run: _run, ...answer } = reportAnswer(reportOf(counts), reference, ticket);
      return connected.socket.emitWithAck('answer', { ...answer, task: 'iris' });
    };
    for (const wrong of (['canary', 'control'] as const).filter((one) => one !== own))
      expect(await send(wrong)).toMatchObject({ ok: false, error: { code: 'update-measure' } });
    expect(await send(own === 'none' ? null : own)).toMatchObject({ ok: true, value: { duplicate: false } });
  }
});

/** The report of a device that counts errors by an arm. */
function reportOf(arm: 'canary' | 'control' | null): Float32Array {
  const monitor = new Monitor(reference, identityOf(reference));
  monitor.guard(arm === null ? null : { canary: 2, arm, model: 'm' });
  for (let i = 0; i < 20; i++) {
    const columns = reference.columns.map(() => 1);
    monitor.observe({ columns, prediction: 0, confidence: 0.5, id: `${i}`, model: 'm' });
    monitor.outcome(`${i}`, i % 2);
  }
  return summarise(monitor.state(), reference) as Float32Array;
}
