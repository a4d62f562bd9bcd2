import { weightsHash } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { newModel, newMove, newRun, toyTask } from './new-run.testing.ts';
import { RELEASES_A_PAGE } from './release-storage.ts';
import type { RunRecord, Storage } from './storage.ts';

const weightsOf = (round: number) => new Float32Array([round, 0.5]);

/** A run of a task with this many rounds. */
async function train(storage: Storage, task: string, rounds: number): Promise<RunRecord> {
  const run = await storage.createRun(newRun(weightsOf(0), { task: { ...toyTask, id: task } }));
  for (let round = 1; round <= rounds; round++) await storage.commit(newModel(run, round, weightsOf(round)));
  return run;
}

const conflict = (text: string) => ({ code: 'release-conflict', message: expect.stringContaining(text) });

/** The part of `storageContract` for moves of channels. */
export function releaseContract(open: () => Storage): void {
  it('knows no release at first', async () => {
    const storage = open();
    expect(await storage.lastRelease('toy', 'production')).toBeNull();
    expect(await storage.release('toy', 1)).toBeNull();
    expect(await storage.releases('toy', {})).toEqual([]);
  });

  it('records moves of each channel and task apart, in their order, as they were', async () => {
    const storage = open();
    await train(storage, 'toy', 2);
    await train(storage, 'other', 1);
    const evidence = { loss: [0.25, null], note: "It's 训练 \0" };
    const first = await storage.moveChannel(
      newMove({ at: 1_760_000_000_000, reason: "It's 训练 🌱 \0 $1 ?", evidence }),
    );
    expect(first).toEqual({
      task: 'toy',
      sequence: 1,
      channel: 'production',
      checkpoint: 'toy-1/1',
      hash: weightsHash(weightsOf(1)),
      before: null,
      undoes: null,
      at: 1_760_000_000_000,
      by: { by: 'admin', name: 'a test' },
      reason: "It's 训练 🌱 \uFFFD $1 ?",
      evidence,
    });
    const canary = await storage.moveChannel(newMove({ channel: 'canary', checkpoint: 'toy-1/2' }));
    const second = await storage.moveChannel(newMove({ checkpoint: 'toy-1/2', expected: 1, undoes: 1 }));
    const emptied = await storage.moveChannel(newMove({ channel: 'canary', checkpoint: null, expected: 2 }));
    const elsewhere = await storage.moveChannel(newMove({ task: 'other', checkpoint: 'other-1/1' }));
    expect(second).toMatchObject({ sequence: 3, before: 'toy-1/1', undoes: 1 });
    expect(emptied).toMatchObject({ sequence: 4, checkpoint: null, hash: null, before: 'toy-1/2' });
    expect(elsewhere.sequence).toBe(1);
    expect(await storage.lastRelease('toy', 'production')).toEqual(second);
    expect(await storage.lastRelease('toy', 'canary')).toEqual(emptied);
    expect(await storage.lastRelease('toy', 'candidate')).toBeNull();
    expect(await storage.lastRelease('other', 'production')).toEqual(elsewhere);
    expect(await storage.release('toy', 2)).toEqual(canary);
    expect(await storage.releases('toy', {})).toEqual([emptied, second, canary, first]);
    expect(await storage.releases('toy', { channel: 'canary' })).toEqual([emptied, canary]);
  });

  it('refuses a move that does not expect the last one, and one to a checkpoint that the task does not have', async () => {
    const storage = open();
    await train(storage, 'toy', 2);
    await train(storage, 'other', 1);
    await expect(storage.moveChannel(newMove({ expected: 1 }))).rejects.toMatchObject(
      conflict('was never moved'),
    );
    await storage.moveChannel(newMove({ at: 86_400_000 }));
    for (const expected of [null, 2, 3])
      await expect(storage.moveChannel(newMove({ checkpoint: 'toy-1/2', expected }))).rejects.toMatchObject(
        conflict('toy-1/1 by a test at 1970-01-02T00:00:00.000Z'),
      );
    for (const checkpoint of ['toy-1/3', 'toy-9/1', 'other-1/1'])
      await expect(storage.moveChannel(newMove({ checkpoint, expected: 1 }))).rejects.toMatchObject({
        code: 'checkpoint-unknown',
      });
    expect(await storage.releases('toy', {})).toHaveLength(1);
    // Refused moves take no number.
    const next = await storage.moveChannel(newMove({ checkpoint: 'toy-1/2', expected: 1 }));
    expect(next.sequence).toBe(2);
  });

  it('records one of several moves that expect the same', async () => {
    const storage = open();
    await train(storage, 'toy', 4);
    const asked = [1, 2, 3, 4].map((round) => newMove({ checkpoint: `toy-1/${round}` }));
    const outcomes = await Promise.allSettled(asked.map((move) => storage.moveChannel(move)));
    const made = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    expect(made).toHaveLength(1);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject(conflict('toy-1/'));
    expect(await storage.releases('toy', {})).toEqual(made.map(({ value }) => value));
  });

  it('tells what a channel named at a time, also where the clock was set back', async () => {
    const storage = open();
    await train(storage, 'toy', 4);
    const steps = [
      [1, 100],
      [2, 200],
      [3, 150],
      [4, 300],
    ] as const;
    for (const [round, at] of steps)
      await storage.moveChannel(
        newMove({ checkpoint: `toy-1/${round}`, at, expected: round === 1 ? null : round - 1 }),
      );
    const named = async (at: number) =>
      (await storage.lastRelease('toy', 'production', at))?.checkpoint ?? null;
    expect(await Promise.all([99, 100, 149, 299, 300, 10_000].map(named))).toEqual([
      null,
      'toy-1/1',
      'toy-1/1',
      'toy-1/3',
      'toy-1/4',
      'toy-1/4',
    ]);
  });

  it('gives every move to one that reads page by page, in either direction', async () => {
    const storage = open();
    await train(storage, 'toy', 2);
    const count = 2 * RELEASES_A_PAGE + 1;
    for (let n = 0; n < count; n++)
      await storage.moveChannel(
        newMove({ checkpoint: `toy-1/${1 + (n % 2)}`, expected: n === 0 ? null : n }),
      );
    const all = Array.from({ length: count }, (_, n) => n + 1);
    const newest = (await storage.releases('toy', {})).map(({ sequence }) => sequence);
    expect(newest).toEqual(all.slice(-RELEASES_A_PAGE).reverse());
    const up: number[] = [];
    for (;;) {
      const page = await storage.releases('toy', { after: up.at(-1) ?? 0, channel: 'production' });
      if (page.length === 0) break;
      up.push(...page.map(({ sequence }) => sequence));
    }
    expect(up).toEqual(all);
    const down: number[] = [];
    for (;;) {
      const page = await storage.releases('toy', { before: down.at(-1) ?? count + 1, limit: 40 });
      if (page.length === 0) break;
      down.push(...page.map(({ sequence }) => sequence));
    }
    expect(down).toEqual(all.toReversed());
  });

  it('moves a channel to a checkpoint that is there, or refuses, while others are deleted', async () => {
    const storage = open();
    const run = await train(storage, 'toy', 1);
    let expected: number | null = null;
    for (let round = 2; round <= 12; round++) {
      await storage.commit(newModel(run, round, weightsOf(round)));
      const checkpoint = `toy-1/${round - 1}`;
      const move = () => storage.moveChannel(newMove({ channel: 'canary', checkpoint, expected }));
      const prune = () => storage.prune(run.id, { last: 1, every: 0 });
      const [moved] = await Promise.allSettled(
        round % 2 === 0 ? [move(), prune()] : [prune().then(() => move()), prune()],
      );
      const there = await storage.checkpoint(checkpoint);
      if (moved?.status === 'fulfilled') {
        expected = (await storage.lastRelease('toy', 'canary'))?.sequence ?? null;
        expect(there?.id).toBe(checkpoint);
        expect(await storage.weights(weightsHash(weightsOf(round - 1)))).toEqual(weightsOf(round - 1));
      } else {
        expect(moved?.reason).toMatchObject({ code: 'checkpoint-unknown' });
        expect(there).toBeNull();
      }
    }
    expect(expected).not.toBeNull();
  });

  it('keeps checkpoints that a channel names, and those that one named at a time or later', async () => {
    const storage = open();
    const run = await train(storage, 'toy', 8);
    const move = (
      channel: 'production' | 'canary',
      round: number | null,
      expected: number | null,
      at: number,
    ) =>
      storage.moveChannel(
        newMove({ channel, checkpoint: round === null ? null : `toy-1/${round}`, expected, at }),
      );
    await move('production', 1, null, 10);
    await move('canary', 2, null, 10);
    await move('canary', null, 2, 20);
    await move('production', 3, 1, 30);
    await move('production', 4, 4, 40);
    await move('canary', 5, 3, 40);
    const rounds = async () => (await storage.checkpoints(run.id)).map(({ round }) => round);
    const rule = { last: 1, every: 0 };
    // Round 1 was named until 30, round 2 until 20.
    await storage.prune(run.id, rule, 21);
    expect(await rounds()).toEqual([8, 5, 4, 3, 1]);
    await storage.prune(run.id, rule, 31);
    expect(await rounds()).toEqual([8, 5, 4, 3]);
    await storage.prune(run.id, rule);
    expect(await rounds()).toEqual([8, 5, 4]);
    expect(await storage.weights(weightsHash(weightsOf(4)))).toEqual(weightsOf(4));
    await expect(storage.weights(weightsHash(weightsOf(3)))).rejects.toMatchObject({
      code: 'storage-corrupt',
    });
    // The history names what was deleted.
    expect(
      (await storage.releases('toy', { channel: 'production' })).map(({ checkpoint }) => checkpoint),
    ).toEqual(['toy-1/4', 'toy-1/3', 'toy-1/1']);
  });
}
