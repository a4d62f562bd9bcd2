import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { weightsHash } from '@coppice/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultConfig } from '../config.ts';
import { backUp, restore } from './backup.ts';
import { hashOf } from './blobs.ts';
import { newFiring } from './firing.testing.ts';
import { newMove, newRun, toyTask } from './new-run.testing.ts';
import { openSqliteStorage } from './sqlite.ts';
import type { Storage } from './storage.ts';

const event = { run: null, round: null, level: 'info', kind: 'k', message: 'm' } as const;
const GIVEN = Float32Array.of(7, 8);
const SENT = Uint8Array.of(1, 2, 3);
const WEIGHTS = [0, 1, 2].map((round) => new Float32Array([round, -0, 0.1]));

/** A run with three checkpoints, memory of a strategy, and more events than one page of a copy. */
async function fill(storage: Storage): Promise<void> {
  const [first, ...others] = WEIGHTS as [Float32Array, Float32Array, Float32Array];
  const begun = newRun(first, { createdAt: 1_760_000_000_000 });
  const stateOf = (round: number, weights: Float32Array) => ({
    values: { round },
    tensors: { m: weights.map((w) => w + 1) },
  });
  const run = await storage.createRun({ ...begun, model: { ...begun.model, state: stateOf(0, first) } });
  for (const [at, weights] of others.entries()) {
    await storage.commit({
      run,
      round: null,
      model: {
        weights,
        state: stateOf(at + 1, weights),
        checkpoint: {
          hash: weightsHash(weights),
          run: 'toy-1',
          task: 'toy',
          round: at + 1,
          parent: null,
          createdAt: at,
          central: null,
          federated: null,
          parameters: 3,
        },
      },
    });
  }
  await storage.addTask({ ...toyTask, weights: weightsHash(GIVEN) }, GIVEN);
  await storage.addUpload(SENT, 1);
  await storage.moveChannel(newMove({ evidence: { loss: 0.5 } }));
  await storage.moveChannel(newMove({ checkpoint: 'toy-1/2', expected: 1 }));
  const by = { by: 'admin', name: 'a test' } as const;
  await storage.putPolicy({ task: 'toy', expected: null, at: 1, by, policy: null });
  await storage.addFiring(newFiring());
  await storage.addPeriod({
    task: 'toy',
    period: 7,
    reference: 'ab'.repeat(32),
    release: 1,
    noise: 0.5,
    startedAt: 1,
    endedAt: 2,
    reports: 3,
    sums: { reports: [3] },
    verdict: null,
  });
  await storage.appendEvents(Array.from({ length: 1234 }, (_, at) => ({ ...event, at })));
}

/** All that a storage gives out, and the next event's number. */
async function contents(storage: Storage) {
  return {
    tasks: await storage.tasks(),
    runs: await storage.runs(),
    admissions: await storage.admissions(),
    checkpoints: await storage.checkpoints('toy-1'),
    weights: await Promise.all(WEIGHTS.map((weights) => storage.weights(weightsHash(weights)))),
    given: await storage.weights(weightsHash(GIVEN)),
    sent: await storage.upload(hashOf(SENT)),
    latest: await storage.latest('toy-1'),
    releases: await storage.releases('toy', {}),
    policy: await storage.policy('toy'),
    periods: await storage.periods('toy'),
    firings: await storage.firings('toy'),
    events: await storage.events({ limit: 10_000 }),
    next: (await storage.appendEvents([{ ...event, at: 9 }]))[0]?.id,
    nextRelease: (await storage.moveChannel(newMove({ expected: 2 }))).sequence,
    nextRun: (await storage.createRun(newRun(WEIGHTS[0] as Float32Array))).id,
  };
}

describe('a backup', () => {
  let root: string;
  const at = (name: string) => ({ ...defaultConfig, dataDir: join(root, name) });
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'coppice-backup-'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('of a coordinator in use, restored, is all there was', async () => {
    const storage = await openSqliteStorage(join(root, 'data'));
    await fill(storage);
    expect(await backUp(at('data'), join(root, 'backup'))).toEqual({ blobs: 8 });
    const before = await contents(storage);
    await storage.close();
    await restore(join(root, 'backup'), at('restored'));
    const restored = await openSqliteStorage(join(root, 'restored'));
    expect(await contents(restored)).toEqual(before);
    await restored.close();
  });

  it('goes nowhere where something is, and restores over nothing', async () => {
    const storage = await openSqliteStorage(join(root, 'data'));
    await fill(storage);
    mkdirSync(join(root, 'mine'));
    writeFileSync(join(root, 'mine', 'file'), 'precious');
    await expect(backUp(at('data'), join(root, 'mine'))).rejects.toMatchObject({ code: 'config-invalid' });
    await expect(backUp(at('nothing'), join(root, 'b'))).rejects.toMatchObject({ code: 'config-invalid' });
    await backUp(at('data'), join(root, 'backup'));
    await expect(restore(join(root, 'backup'), at('data'))).rejects.toMatchObject({ code: 'storage-locked' });
    await storage.close();
    await expect(restore(join(root, 'backup'), at('data'))).rejects.toMatchObject({ code: 'config-invalid' });
    await expect(restore(join(root, 'mine'), at('new'))).rejects.toMatchObject({ code: 'config-invalid' });
    expect(readdirSync(root).sort()).toEqual(['backup', 'data', 'mine']);
  });

  it('of damaged weights fails by name and leaves no half backup; so does its restore, and can be run again', async () => {
    const storage = await openSqliteStorage(join(root, 'data'));
    await fill(storage);
    await storage.close();
    await backUp(at('data'), join(root, 'backup'));
    const hash = weightsHash(WEIGHTS[1] as Float32Array);
    const rot = (folder: string) =>
      truncateSync(join(root, folder, 'blobs', hash.slice(0, 2), hash.slice(2)), 5);
    rot('data');
    await expect(backUp(at('data'), join(root, 'second'))).rejects.toMatchObject({ code: 'storage-corrupt' });
    expect(readdirSync(root).sort()).toEqual(['backup', 'data']);

    cpSync(join(root, 'backup'), join(root, 'whole'), { recursive: true });
    rot('backup');
    await expect(restore(join(root, 'backup'), at('new'))).rejects.toMatchObject({ code: 'storage-corrupt' });
    await restore(join(root, 'whole'), at('new'));
    const restored = await openSqliteStorage(join(root, 'new'));
    expect((await restored.latest('toy-1'))?.weights).toEqual(WEIGHTS[2]);
    await restored.close();
    expect(existsSync(join(root, 'new', 'spool'))).toBe(false);
  });
});
