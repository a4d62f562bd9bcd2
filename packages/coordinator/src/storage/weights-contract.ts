import { weightsHash } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { hashOf, toBytes } from './blobs.ts';
import { newModel, newRun, toyTask } from './new-run.testing.ts';
import type { Storage } from './storage.ts';

/** The given weights' part of `storageContract`. */
export function weightsContract(storageNow: () => Storage, reopened: () => Promise<Storage | null>): void {
  const given = Float32Array.of(0.5, -2);
  const task = { ...toyTask, weights: weightsHash(given) };
  const gone = (storage: Storage, hash: string) =>
    expect(storage.weights(hash)).rejects.toMatchObject({ code: 'storage-corrupt' });

  it('keeps what was sent until it is forgotten', async () => {
    const storage = storageNow();
    const [first, second] = [Uint8Array.of(1, 2, 3), Uint8Array.of(4)];
    const hash = await storage.addUpload(first, 10);
    expect(hash).toBe(hashOf(first));
    await storage.addUpload(second, 20);
    expect(new Uint8Array((await storage.upload(hash)) ?? [])).toEqual(first);
    expect(await storage.upload('0'.repeat(64))).toBeNull();
    expect(await storage.forgetUploads(10)).toBe(0);
    expect(await storage.forgetUploads(20)).toBe(1);
    expect(await storage.upload(hash)).toBeNull();
    expect(await storage.upload(hashOf(second))).not.toBeNull();
    // Sent again, it is there again, and counts from then on.
    await storage.addUpload(first, 15);
    await storage.addUpload(first, 30);
    expect(await storage.forgetUploads(25)).toBe(1);
    expect(new Uint8Array((await storage.upload(hash)) ?? [])).toEqual(first);
  });

  it('keeps the weights of a task, whatever else with the same bytes is deleted', async () => {
    const storage = storageNow();
    const hash = await storage.addUpload(toBytes(given), 1);
    expect(hash).toBe(task.weights);
    await storage.addTask(task, given);
    const run = await storage.createRun(newRun(given, { task }));
    await storage.commit(newModel(run, 1, Float32Array.of(1, 1)));
    expect(await storage.forgetUploads(2)).toBe(1);
    expect(await storage.prune(run.id, { last: 1, every: 0 })).toBe(1);
    expect(await storage.weights(hash)).toEqual(given);
    const later = (await reopened()) ?? storage;
    expect(await later.weights(hash)).toEqual(given);
    expect(await later.tasks()).toEqual([task]);
  });

  it('keeps no weights of a task that it refuses', async () => {
    const storage = storageNow();
    await storage.addTask(toyTask);
    await expect(storage.addTask(task, given)).rejects.toMatchObject({ code: 'task-exists' });
    // The next deletion takes along what is named by nothing.
    await storage.addUpload(Uint8Array.of(1), 1);
    await storage.forgetUploads(2);
    await gone(storage, task.weights);
    expect(await storage.tasks()).toEqual([toyTask]);
  });

  it('forgets weights that were sent and that neither a task nor a checkpoint names', async () => {
    const storage = storageNow();
    const hash = await storage.addUpload(toBytes(given), 1);
    await storage.forgetUploads(2);
    await gone(storage, hash);
  });
}
