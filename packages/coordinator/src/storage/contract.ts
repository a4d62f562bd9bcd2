import { type Round, type Task, weightsHash } from '@coppice/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { adminContract } from './admin-contract.ts';
import { admissionContract } from './admission-contract.ts';
import { firingContract } from './firing-contract.ts';
import { newMove, newRun, toyTask } from './new-run.testing.ts';
import { participantContract } from './participant-contract.ts';
import { periodContract } from './period-contract.ts';
import { policyContract } from './policy-contract.ts';
import { referenceContract } from './reference-contract.ts';
import { releaseContract } from './release-contract.ts';
import {
  type Commit,
  EVENTS_A_PAGE,
  type EventPage,
  type NewRun,
  type RunRecord,
  type Storage,
} from './storage.ts';
import { weightsContract } from './weights-contract.ts';

function roundRecord(run: string, round: number, attempt = 1): Round {
  return {
    run,
    round,
    attempt,
    outcome: 'committed',
    reason: null,
    startedAt: 1,
    endedAt: 2,
    target: 1,
    asked: 1,
    accepted: 1,
    refused: 0,
    examples: 3,
    phases: { collect: 5 },
    bytesUp: 1,
    bytesDown: 2,
    central: null,
    federated: null,
    trainingLoss: 0.5,
    parent: '0'.repeat(64),
    checkpoint: '1'.repeat(64),
    cohort: [],
  };
}

const stateOf = (round: number, weights: Float32Array) => ({
  values: { steps: round, nested: [1, 'a', null] },
  tensors: { velocity: weights.map((w) => w * 2) },
});

/** A run of a task with its initial weights. */
function runOf(task: string, weights: Float32Array, change: Partial<NewRun['run']> = {}): NewRun {
  const begun = newRun(weights, { task: { ...toyTask, id: task }, ...change });
  return { ...begun, model: { ...begun.model, state: stateOf(0, weights) } };
}

function commitOf(run: RunRecord, round: number, weights: Float32Array): Commit {
  return {
    run,
    round: roundRecord(run.id, round),
    model: {
      weights,
      checkpoint: {
        hash: weightsHash(weights),
        run: run.id,
        task: run.task.id,
        round,
        parent: null,
        createdAt: 100 + round,
        central: null,
        federated: null,
        parameters: weights.length,
      },
      state: stateOf(round, weights),
    },
  };
}

/** The contract of every `Storage`. `reopen` closes and opens the same store again; one that is not `durable` has none. */
export function storageContract(
  name: string,
  open: () => Promise<{ storage: Storage; reopen?: () => Promise<Storage> }>,
  { durable = true }: { durable?: boolean } = {},
): void {
  describe(`Storage contract: ${name}`, () => {
    let storage: Storage;
    let reopen: (() => Promise<Storage>) | undefined;

    beforeEach(async () => {
      ({ storage, reopen } = await open().then((opened) => ({ reopen: undefined, ...opened })));
    });
    afterEach(() => storage.close());

    adminContract(() => storage);
    admissionContract(() => storage);
    firingContract(() => storage);
    participantContract(() => storage);
    periodContract(() => storage);
    policyContract(() => storage);
    referenceContract(() => storage);
    releaseContract(() => storage);
    weightsContract(
      () => storage,
      async () => {
        if (reopen === undefined) return null;
        storage = await reopen();
        return storage;
      },
    );

    it('finds nothing by a text that no record can hold', async () => {
      expect(await storage.events({ run: 'a\0' })).toEqual([]);
      expect(await storage.latestOfRun('a\0')).toBeNull();
      expect(await storage.audit({ admin: '\0', action: '\0', limit: 3 })).toEqual([]);
    });

    it('is empty at first', async () => {
      expect(await storage.runs()).toEqual([]);
      expect(await storage.tasks()).toEqual([]);
      expect(await storage.latest('none')).toBeNull();
      expect(await storage.latestOfTask('none')).toBeNull();
      expect(await storage.checkpoint('none-1/0')).toBeNull();
      expect(await storage.events({})).toEqual([]);
    });

    it('changes a task by what is stored of it, one change after another, or not at all', async () => {
      await storage.addTask(toyTask);
      const longer = (name: string) => (task: Task) => ({ ...task, title: { en: task.title.en + name } });
      const names = ['a', 'b', 'c', 'd'];
      const changed = await Promise.all(names.map((name) => storage.changeTask(toyTask.id, longer(name))));
      const [stored] = await storage.tasks();
      expect([...(stored?.title.en ?? '').slice(toyTask.title.en.length)].sort()).toEqual(names);
      expect(changed).toContainEqual(stored);
      const refused = new Error('not this one');
      const refuse = () => {
        throw refused;
      };
      await expect(storage.changeTask(toyTask.id, refuse)).rejects.toThrow();
      // Its id stays, whatever is made of it.
      await storage.changeTask(toyTask.id, (task) => ({ ...task, id: 'another' }));
      expect(await storage.tasks()).toEqual([stored]);
      await expect(storage.changeTask('none', longer('x'))).rejects.toMatchObject({ code: 'task-unknown' });
      await expect(storage.changeTask('a\0', longer('x'))).rejects.toMatchObject({ code: 'task-unknown' });
      if (reopen === undefined) return;
      storage = await reopen();
      expect(await storage.tasks()).toEqual([stored]);
    });

    it('keeps tasks, each as it came first', async () => {
      await storage.addTask(toyTask);
      await expect(storage.addTask({ ...toyTask, title: { en: 'Other' } })).rejects.toMatchObject({
        code: 'task-exists',
      });
      expect(await storage.tasks()).toEqual([toyTask]);
      const attempts = Array.from({ length: 4 }, () => storage.addTask({ ...toyTask, id: 'other' }));
      const outcomes = await Promise.allSettled(attempts);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const outcome of outcomes)
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'task-exists' });
    });

    it('keeps runs in the order of their creation, whatever the clock says, and replaces their records', async () => {
      const later = await storage.createRun(runOf('b', new Float32Array([1]), { createdAt: 2 }));
      const earlier = await storage.createRun(runOf('a', new Float32Array([1]), { createdAt: 1 }));
      const paused = { ...later, status: 'paused' as const };
      await storage.putRun(paused);
      expect(await storage.runs()).toEqual([paused, earlier]);
      expect(earlier.sequence).toBeGreaterThan(later.sequence);
    });

    it('gives every run made at once a number, an admission and first weights of its own', async () => {
      const asked = (['listed', 'open', 'invited', 'open', 'listed'] as const).flatMap((admission, at) =>
        ['toy', 'toy-1'].map((task) => ({ ...runOf(task, new Float32Array([at, 9])), admission })),
      );
      const made = await Promise.all(asked.map((run) => storage.createRun(run)));
      const ids = made.map(({ id }) => id).sort();
      expect(ids).toEqual(
        ['toy', 'toy-1'].flatMap((task) => [1, 2, 3, 4, 5].map((n) => `${task}-${n}`)).sort(),
      );
      expect(new Set(made.map(({ sequence }) => sequence)).size).toBe(10);
      const admissions = new Map((await storage.admissions()).map((one) => [one.run, one.admission]));
      for (const [at, { id }] of made.entries()) {
        expect(admissions.get(id)).toBe(asked[at]?.admission);
        expect((await storage.latest(id))?.weights).toEqual(asked[at]?.model.weights);
        expect(await storage.checkpoints(id)).toMatchObject([{ run: id, round: 0, parent: null }]);
      }
      expect(await storage.runs()).toHaveLength(10);
    });

    it('stores nothing of a run that is not there', async () => {
      const run = await storage.createRun(runOf('toy', new Float32Array([1])));
      const gone = { ...run, id: 'toy-7' };
      await expect(storage.putRun(gone)).rejects.toMatchObject({ code: 'run-unknown' });
      await expect(storage.commit(commitOf(gone, 1, new Float32Array([2])))).rejects.toMatchObject({
        code: 'run-unknown',
      });
      expect(await storage.runs()).toEqual([run]);
      expect(await storage.checkpoints('toy-7')).toEqual([]);
      expect(await storage.rounds('toy-7')).toEqual([]);
    });

    it('keeps every attempt of a round, in order, and replaces the same attempt', async () => {
      await storage.putRound(roundRecord('r', 2));
      await storage.putRound({ ...roundRecord('r', 1), outcome: 'abandoned' });
      await storage.putRound(roundRecord('r', 1, 2));
      await storage.putRound({ ...roundRecord('r', 2), accepted: 9 });
      await storage.putRound(roundRecord('other', 1));
      const rounds = await storage.rounds('r');
      expect(rounds.map((round) => [round.round, round.attempt, round.accepted])).toEqual([
        [1, 1, 1],
        [1, 2, 1],
        [2, 1, 9],
      ]);
      expect(rounds[1]).toEqual(roundRecord('r', 1, 2));
      expect(await storage.round('r', 1, 2)).toEqual(roundRecord('r', 1, 2));
      expect(await storage.round('r', 2, 1)).toMatchObject({ run: 'r', accepted: 9 });
      expect(await storage.round('r', 2, 2)).toBeNull();
      expect(await storage.round('none', 1, 1)).toBeNull();
    });

    it('gives back a committed model bit for bit, with the strategy state', async () => {
      const weights = new Float32Array([1, -0, 1e-40, 3.4e38]);
      const run = await storage.createRun(runOf('r', new Float32Array([0, 0, 0, 0])));
      await storage.commit(commitOf(run, 1, weights));
      const latest = await storage.latest('r-1');
      expect(latest?.checkpoint.round).toBe(1);
      expect(new Uint8Array(latest?.weights.slice().buffer as ArrayBuffer)).toEqual(
        new Uint8Array(weights.slice().buffer),
      );
      expect(latest?.state.values).toEqual({ steps: 1, nested: [1, 'a', null] });
      expect(latest?.state.tensors.velocity).toEqual(weights.map((w) => w * 2));
      expect(await storage.rounds('r-1')).toEqual([roundRecord('r-1', 1)]);
      expect(await storage.weights(weightsHash(weights))).toEqual(weights);
      expect((await storage.checkpointByHash('r', weightsHash(weights)))?.id).toBe('r-1/1');
      expect((await storage.checkpoint('r-1/1'))?.hash).toBe(weightsHash(weights));
      expect((await storage.checkpoints('r-1')).map((c) => c.round)).toEqual([1, 0]);
      expect((await storage.latestOfTask('r'))?.round).toBe(1);
    });

    it('leaves a run as it is where a commit gives none', async () => {
      const run = await storage.createRun(runOf('r', new Float32Array([1])));
      await storage.putRun({ ...run, status: 'paused' });
      await storage.commit({ ...commitOf(run, 1, new Float32Array([2])), run: null });
      expect((await storage.runs()).map(({ status }) => status)).toEqual(['paused']);
      expect((await storage.latest('r-1'))?.checkpoint.round).toBe(1);
    });

    it('lets two runs share the same weights', async () => {
      const weights = new Float32Array([1, 2]);
      await storage.createRun(runOf('toy', weights));
      await storage.createRun(runOf('toy', weights, { from: 'toy-1/0' }));
      for (const [id, parent] of [
        ['toy-1', null],
        ['toy-2', 'toy-1/0'],
      ] as const) {
        expect((await storage.latest(id))?.checkpoint).toMatchObject({ id: `${id}/0`, run: id, parent });
        expect(await storage.checkpoint(`${id}/0`)).toMatchObject({ run: id, parent });
        expect(await storage.latestOfRun(id)).toBeNull();
      }
    });

    it('finds checkpoints as though some runs were not there', async () => {
      const [shared, own] = [new Float32Array([1, 2]), new Float32Array([3, 4])];
      await storage.createRun(runOf('toy', shared));
      const second = await storage.createRun(runOf('toy', shared));
      await storage.commit(commitOf(second, 1, own));
      for (const [without, found] of [
        [['toy-2'], 'toy-1'],
        [['toy-1'], 'toy-2'],
      ] as const)
        expect((await storage.checkpointByHash('toy', weightsHash(shared), without))?.run).toBe(found);
      expect((await storage.checkpointByHash('toy', weightsHash(shared)))?.id).toBe('toy-1/0');
      expect(await storage.checkpointByHash('other', weightsHash(shared))).toBeNull();
      expect(await storage.checkpointByHash('toy', weightsHash(own), ['toy-2', 'c'])).toBeNull();
    });

    it('knows the newest model that was trained, by the order of runs and rounds, whatever the clock says', async () => {
      const latest = async (...without: string[]) => {
        const found = await storage.latestOfTask('toy', without);
        return found === null ? null : [found.run, found.round];
      };
      const at = (createdAt: number) => runOf('toy', new Float32Array([createdAt]), { createdAt });
      // The clock was ahead when the first run was made and trained.
      const ahead = await storage.createRun(at(9000));
      expect(await latest()).toBeNull();
      const train = async (run: RunRecord, rounds: readonly number[]) => {
        for (const round of rounds) {
          const made = commitOf(run, round, new Float32Array([round, run.sequence]));
          const checkpoint = { ...made.model.checkpoint, createdAt: run.createdAt - round };
          await storage.commit({ ...made, model: { ...made.model, checkpoint } });
        }
      };
      await train(ahead, [1, 2, 3]);
      expect(await latest()).toEqual(['toy-1', 3]);
      const back = await storage.createRun(at(10));
      // A run that was launched, and that no participant joined.
      await storage.createRun(at(20));
      const other = await storage.createRun(runOf('other', new Float32Array([1]), { createdAt: 10_000 }));
      await train(other, [1]);
      expect(await latest()).toEqual(['toy-1', 3]);
      await train(back, [1, 2]);
      expect(await latest()).toEqual(['toy-2', 2]);
      await train(ahead, [4]);
      expect(await latest()).toEqual(['toy-2', 2]);
      expect(await latest('toy-2', 'toy-3')).toEqual(['toy-1', 4]);
      expect(await latest('toy-1', 'toy-2')).toBeNull();
    });

    it('forgets the checkpoints that a rule does not keep, and their weights, unless another run has them', async () => {
      const weights = [0, 1, 2, 3, 4].map((n) => new Float32Array([n, n]));
      const run = await storage.createRun(runOf('r', weights[0] as Float32Array));
      for (const [round, values] of weights.entries())
        if (round > 0) await storage.commit(commitOf(run, round, values));
      await storage.createRun(runOf('other', weights[1] as Float32Array));
      const central = { loss: 0.1, accuracy: null, examples: 1 };
      await storage.putMetrics({
        checkpoint: { run: 'r-1', round: 2, central, federated: null },
        round: null,
      });
      expect(await storage.prune('r-1', { last: 1, every: 0 })).toBe(3);
      expect((await storage.checkpoints('r-1')).map(({ round }) => round)).toEqual([4, 2]);
      expect((await storage.rounds('r-1')).map(({ round }) => round)).toEqual([1, 2, 3, 4]);
      expect((await storage.latest('r-1'))?.weights).toEqual(weights[4]);
      expect((await storage.latest('other-1'))?.weights).toEqual(weights[1]);
      expect(await storage.checkpoint('r-1/3')).toBeNull();
      expect(await storage.checkpointByHash('r', weightsHash(weights[3] as Float32Array))).toBeNull();
      for (const n of [0, 3])
        await expect(storage.weights(weightsHash(weights[n] as Float32Array))).rejects.toMatchObject({
          code: 'storage-corrupt',
        });
      expect(await storage.prune('r-1', { last: 1, every: 0 })).toBe(0);
    });

    it('adds metrics to one checkpoint', async () => {
      const run = await storage.createRun(runOf('r', new Float32Array([1])));
      await storage.commit(commitOf(run, 1, new Float32Array([2])));
      const central = { loss: 0.1, accuracy: 0.9, examples: 10 };
      await storage.putMetrics({
        checkpoint: { run: 'r-1', round: 1, central, federated: null },
        round: { ...roundRecord('r-1', 1), central },
      });
      expect((await storage.checkpoints('r-1')).map((c) => c.central)).toEqual([central, null]);
      expect((await storage.round('r-1', 1, 1))?.central).toEqual(central);
    });

    it('adds metrics of the model before together with a commit, or neither', async () => {
      const run = await storage.createRun(runOf('r', new Float32Array([1])));
      await storage.commit(commitOf(run, 1, new Float32Array([2])));
      const federated = { loss: 0.3, accuracy: 0.5, examples: 4 };
      const measured = {
        checkpoint: { run: 'r-1', round: 1, central: null, federated },
        round: { ...roundRecord('r-1', 1), federated },
      };
      const told = async () => [
        (await storage.checkpoint('r-1/1'))?.federated,
        (await storage.round('r-1', 1, 1))?.federated,
        (await storage.rounds('r-1')).length,
      ];
      const next = commitOf(run, 2, new Float32Array([3]));
      await expect(storage.commit({ ...next, run: { ...run, id: 'r-7' }, measured })).rejects.toMatchObject({
        code: 'run-unknown',
      });
      expect(await told()).toEqual([null, null, 1]);
      await storage.commit({ ...next, measured });
      expect(await told()).toEqual([federated, federated, 2]);
    });

    it('keeps the best by the median of participants, which is no part of the checkpoint', async () => {
      const run = await storage.createRun(runOf('r', new Float32Array([1])));
      for (const round of [1, 2, 3])
        await storage.commit(commitOf(run, round, new Float32Array([round + 1])));
      const federated = { loss: 9, accuracy: 0.5, examples: 10 };
      const put = (round: number, typicalLoss: number, loss: number) =>
        storage.putMetrics({
          checkpoint: { run: 'r-1', round, central: null, federated: { ...federated, loss }, typicalLoss },
          round: null,
        });
      await put(1, 0.5, 9);
      await put(2, 2, 0);
      await storage.prune('r-1', { last: 1, every: 0 });
      const left = await storage.checkpoints('r-1');
      expect(left.map(({ round }) => round)).toEqual([3, 1]);
      expect(left.at(-1)?.federated).toEqual(federated);
    });

    it('names missing weights', async () => {
      await expect(storage.weights('0'.repeat(64))).rejects.toMatchObject({ code: 'storage-corrupt' });
    });

    it('numbers events and filters them', async () => {
      const event = { at: 1, run: 'r', round: null, level: 'info' as const, kind: 'k', message: 'm' };
      await storage.appendEvents([0, 1].map((at) => ({ ...event, at, run: at % 2 === 0 ? 'r' : null })));
      const added = await storage.appendEvents(
        [2, 3, 4].map((at) => ({ ...event, at, run: at % 2 === 0 ? 'r' : null })),
      );
      expect(added.map(({ id, at }) => [id, at])).toEqual([
        [3, 2],
        [4, 3],
        [5, 4],
      ]);
      const all = await storage.events({});
      expect(all.map((e) => e.id)).toEqual([1, 2, 3, 4, 5]);
      expect((await storage.events({ run: 'r' })).map((e) => e.at)).toEqual([0, 2, 4]);
      expect((await storage.events({ after: 3 })).map((e) => e.id)).toEqual([4, 5]);
      expect((await storage.events({ limit: 2 })).map((e) => e.id)).toEqual([4, 5]);
      expect((await storage.events({ after: 1, limit: 2 })).map((e) => e.id)).toEqual([2, 3]);
      expect((await storage.events({ before: 4 })).map((e) => e.id)).toEqual([3, 2, 1]);
      expect((await storage.events({ before: 5, limit: 2 })).map((e) => e.id)).toEqual([4, 3]);
      expect((await storage.events({ run: 'r', before: 5 })).map((e) => e.at)).toEqual([2, 0]);
    });

    it('gives every event to one that reads page by page, in either direction', async () => {
      const event = { run: 'r', round: null, level: 'info' as const, kind: 'k', message: 'm' };
      await storage.appendEvents(Array.from({ length: 3000 }, (_, at) => ({ ...event, at })));
      const read = async (next: (last: number) => EventPage, from: number) => {
        const ids: number[] = [];
        for (;;) {
          const page = await storage.events(next(ids.at(-1) ?? from));
          expect(page.length).toBeLessThanOrEqual(EVENTS_A_PAGE);
          if (page.length === 0) return ids;
          ids.push(...page.map(({ id }) => id));
        }
      };
      const all = Array.from({ length: 3000 }, (_, at) => at + 1);
      expect(await read((after) => ({ after }), 0)).toEqual(all);
      expect(await read((after) => ({ after, limit: 7, run: 'r' }), 2900)).toEqual(all.slice(2900));
      expect(await read((before) => ({ before }), 3001)).toEqual(all.toReversed());
    });

    it('deletes the oldest events, and numbers go on', async () => {
      const event = { run: null, round: null, level: 'info' as const, kind: 'k', message: 'm' };
      await storage.appendEvents(Array.from({ length: 5 }, (_, at) => ({ ...event, at })));
      await storage.forgetEvents(4);
      expect((await storage.events({ after: 0 })).map(({ id }) => id)).toEqual([4, 5]);
      await storage.forgetEvents(100);
      expect(await storage.events({})).toEqual([]);
      expect(await storage.appendEvents([{ ...event, at: 9 }])).toMatchObject([{ id: 6, data: null }]);
    });

    it('gives counts and times back as numbers, and any text as it was', async () => {
      const at = 1_760_000_000_123;
      const message = "It's 训练 🌱 \\ \n %s $1 ?";
      const data = { text: `${message}\0`, count: 3, deep: { list: [1.5, null, true, ''] } };
      await storage.appendEvents([
        { at, run: 'r', round: 2, level: 'info', kind: 'k', message },
        { at, run: 'r', round: 2, level: 'info', kind: 'k', message: 'a\0b', data },
      ]);
      expect(await storage.events({ run: 'r' })).toEqual([
        { id: 1, at, run: 'r', round: 2, level: 'info', kind: 'k', message, data: null },
        { id: 2, at, run: 'r', round: 2, level: 'info', kind: 'k', message: 'a\uFFFDb', data },
      ]);
      const run = await storage.createRun(runOf('r', new Float32Array([0])));
      const made = commitOf(run, 1, new Float32Array([1]));
      const checkpoint = { ...made.model.checkpoint, createdAt: at, parameters: 67_108_864 };
      await storage.commit({ ...made, model: { ...made.model, checkpoint } });
      expect((await storage.checkpoints('r-1'))[0]).toEqual({ ...checkpoint, id: 'r-1/1' });
    });

    it('orders names by their characters, whatever the language', async () => {
      for (const id of ['b', 'a-1', 'B', 'a1', 'é', 'a_1']) await storage.addTask({ ...toyTask, id });
      expect((await storage.tasks()).map(({ id }) => id)).toEqual(['B', 'a-1', 'a1', 'a_1', 'b', 'é']);
    });

    it('does not hand out or keep what a caller may change', async () => {
      const weights = new Float32Array([1, 2]);
      await storage.createRun(runOf('r', weights));
      weights[0] = 99;
      const first = await storage.latest('r-1');
      if (first) first.weights[1] = 99;
      expect((await storage.latest('r-1'))?.weights).toEqual(new Float32Array([1, 2]));
    });

    if (durable)
      it('keeps everything over a restart', async () => {
        if (reopen === undefined) throw new Error('a durable storage must be opened again');
        await storage.addTask(toyTask);
        const run = await storage.createRun({ ...runOf('r', new Float32Array([0, 0])), admission: 'listed' });
        await storage.commit(commitOf(run, 1, new Float32Array([5, 6])));
        await storage.appendEvents([{ at: 1, run: 'r', round: 1, level: 'info', kind: 'k', message: 'm' }]);
        const released = await storage.moveChannel(newMove({ task: 'r', checkpoint: 'r-1/1' }));
        await storage.appendAudit({
          at: 1,
          admin: null,
          name: 'n',
          action: 'a',
          target: '',
          detail: '',
          address: '',
        });
        storage = await reopen();
        expect((await storage.audit({})).map(({ id }) => id)).toEqual([1]);
        expect(await storage.tasks()).toEqual([toyTask]);
        expect(await storage.runs()).toEqual([run]);
        expect(await storage.admissions()).toEqual([{ run: 'r-1', admission: 'listed' }]);
        expect((await storage.createRun(runOf('r', new Float32Array([0])))).id).toBe('r-2');
        expect((await storage.latest('r-1'))?.weights).toEqual(new Float32Array([5, 6]));
        expect((await storage.events({})).length).toBe(1);
        expect(await storage.releases('r', {})).toEqual([released]);
        const back = newMove({ task: 'r', checkpoint: 'r-1/0', expected: 1 });
        expect((await storage.moveChannel(back)).sequence).toBe(2);
        const [next] = await storage.appendEvents([
          {
            at: 2,
            run: null,
            round: null,
            level: 'info',
            kind: 'k',
            message: 'm',
          },
        ]);
        expect(next?.id).toBe(2);
      });
  });
}
