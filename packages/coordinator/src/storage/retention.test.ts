import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ManualClock } from '@coppice/ports';
import { type CoppiceError, type Metrics, weightsHash } from '@coppice/protocol';
import * as fc from 'fast-check';
import { Kysely } from 'kysely';
import { describe, expect, it } from 'vitest';
import { defaultConfig } from '../config.ts';
import { backUp } from './backup.ts';
import { holdBlobs } from './blob-hold.ts';
import type { BlobStore } from './blobs.ts';
import { fileBlobs } from './file-blobs.ts';
import { memoryStorage } from './memory.ts';
import { memoryBlobs } from './memory-blobs.ts';
import { newModel, newMove, newRun, toyTask } from './new-run.testing.ts';
import { nodeSqliteDialect } from './node-sqlite-dialect.ts';
import { keptRounds, withRetention } from './retention.ts';
import type { Tables } from './schema.ts';
import { sqlStorage } from './sql.ts';
import { openSqliteStorage, sqliteFlavour } from './sqlite.ts';
import type { Storage } from './storage.ts';

const metrics = fc.option(
  fc.integer({ min: 0, max: 9 }).map((loss): Metrics => ({ loss, accuracy: null, examples: 1 })),
);
const history = fc
  .array(fc.record({ central: metrics, federated: metrics }), { minLength: 1, maxLength: 40 })
  .map((all) => all.map((one, round) => ({ ...one, round })));
const rule = fc.record({ last: fc.integer({ min: 1, max: 8 }), every: fc.integer({ min: 0, max: 7 }) });

describe('the rule', () => {
  it('keeps the last, every k-th, the best, and nothing else', () => {
    void fc.assert(
      fc.property(history, rule, (all, { last, every }) => {
        const kept = keptRounds(all, { last, every });
        const lowest = (by: 'central' | 'federated') =>
          Math.min(...all.map((one) => one[by]?.loss ?? Infinity));
        for (const { round, central, federated } of all) {
          const isLast = round >= all.length - last;
          const isNth = every > 0 && round % every === 0;
          if (isLast || isNth) expect(kept).toContain(round);
          else if (kept.has(round)) {
            expect([central?.loss === lowest('central'), federated?.loss === lowest('federated')]).toContain(
              true,
            );
          }
        }
        for (const by of ['central', 'federated'] as const) {
          if (Number.isFinite(lowest(by)))
            expect(all.some((one) => kept.has(one.round) && one[by]?.loss === lowest(by))).toBe(true);
        }
      }),
    );
  });

  it('chooses by the median of participants where there is one, which one of them cannot move', () => {
    const loss = (value: number) => ({ loss: value, accuracy: null, examples: 1 });
    const all = [
      { round: 0, central: null, federated: loss(5), typicalLoss: 5 },
      { round: 1, central: null, federated: loss(100), typicalLoss: 1 },
      { round: 2, central: null, federated: loss(0), typicalLoss: 4 },
      { round: 3, central: null, federated: loss(2), typicalLoss: null },
      { round: 4, central: null, federated: null },
    ];
    expect(keptRounds(all, { last: 1, every: 0 })).toEqual(new Set([1, 4]));
  });

  it('applied again takes nothing more, and what it took is not missed later', () => {
    void fc.assert(
      fc.property(history, rule, (all, how) => {
        const kept = keptRounds(all, how);
        const left = all.filter(({ round }) => kept.has(round));
        expect(keptRounds(left, how)).toEqual(kept);
        // As it happens in a run: after every round, from what is left.
        let gradual: typeof all = [];
        for (const one of all) {
          gradual = [...gradual, one];
          const now = keptRounds(gradual, how);
          gradual = gradual.filter(({ round }) => now.has(round));
        }
        expect(new Set(gradual.map(({ round }) => round))).toEqual(kept);
      }),
    );
  });
});

const memoryOf = (weights: Float32Array) => ({ values: {}, tensors: { m: weights.map((w) => w + 1) } });

/** Makes a run, or stores a further round of it. */
async function store(storage: Storage, run: string, round: number, weights: Float32Array): Promise<void> {
  const { model, ...begun } = newRun(weights, { task: { ...toyTask, id: run } });
  const state = memoryOf(weights);
  if (round === 0) await storage.createRun({ ...begun, model: { ...model, state } });
  else
    await storage.commit({
      run: { ...begun.run, id: `${run}-1`, sequence: 1 },
      round: null,
      model: {
        weights,
        state,
        checkpoint: {
          hash: weightsHash(weights),
          run: `${run}-1`,
          task: run,
          round,
          parent: null,
          createdAt: round,
          central: null,
          federated: null,
          parameters: weights.length,
        },
      },
    });
}

const listed = async (blobs: BlobStore) => {
  const found: string[] = [];
  for await (const hash of blobs.list()) found.push(hash);
  return found.sort();
};

/** Every model that is listed can be read, and nothing else is there. */
async function expectWhole(storage: Storage, blobs: BlobStore): Promise<void> {
  const named = new Set<string>();
  for (const run of await storage.runs()) {
    for (const checkpoint of await storage.checkpoints(run.id)) {
      const weights = await storage.weights(checkpoint.hash);
      named.add(weightsHash(weights)).add(weightsHash(weights.map((w) => w + 1)));
    }
    await storage.latest(run.id);
  }
  expect(await listed(blobs)).toEqual([...named].sort());
}

describe('what is no longer named', () => {
  it('is deleted, and never what a commit under way is about to name', { timeout: 120_000 }, async () => {
    // Few contents, so that runs share weights and a deleted blob is soon wanted again.
    const step = fc.record({ run: fc.constantFrom('a', 'b', 'c'), content: fc.nat({ max: 5 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), fc.scheduler(), async (steps, s) => {
        const inner = memoryBlobs();
        // Each call of the store waits for its turn, and the turns come in any order.
        const slow =
          <A extends unknown[], T>(call: (...args: A) => Promise<T>, name: string) =>
          async (...args: A) => {
            await s.schedule(Promise.resolve(), `${name} begins`);
            const result = await call(...args);
            await s.schedule(Promise.resolve(), `${name} ends`);
            return result;
          };
        const blobs = { ...inner, put: slow(inner.put, 'put'), delete: slow(inner.delete, 'delete') };
        const db = new Kysely<Tables>({ dialect: nodeSqliteDialect(new DatabaseSync(':memory:')) });
        const storage = await sqlStorage(db, { blobs, flavour: sqliteFlavour, where: 'SQLite' });
        const rounds = new Map<string, number>();
        const work = steps.map(async ({ run, content }) => {
          const round = rounds.get(run) ?? 0;
          rounds.set(run, round + 1);
          await store(storage, run, round, new Float32Array([content]));
          await storage.prune(`${run}-1`, { last: 1, every: 0 });
        });
        await s.waitFor(Promise.all(work));
        await expectWhole(storage, inner);
        await storage.close();
      }),
      { numRuns: 150 },
    );
  });

  it('is deleted, and never what a channel is about to name', { timeout: 120_000 }, async () => {
    const step = fc.record({ commit: fc.boolean(), round: fc.nat({ max: 8 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), fc.scheduler(), async (steps, s) => {
        const inner = memoryBlobs();
        const slow =
          <A extends unknown[], T>(call: (...args: A) => Promise<T>, name: string) =>
          async (...args: A) => {
            await s.schedule(Promise.resolve(), `${name} begins`);
            return call(...args);
          };
        const blobs = { ...inner, put: slow(inner.put, 'put'), delete: slow(inner.delete, 'delete') };
        const db = new Kysely<Tables>({ dialect: nodeSqliteDialect(new DatabaseSync(':memory:')) });
        const storage = await sqlStorage(db, { blobs, flavour: sqliteFlavour, where: 'SQLite' });
        const made = storage.createRun(newRun(new Float32Array([0])));
        const [run] = await s.waitFor(Promise.all([made]));
        if (run === undefined) throw new Error('the run was not made');
        let rounds = 0;
        let expected: number | null = null;
        const moved: string[] = [];
        const move = async (round: number) => {
          const checkpoint = `${run.id}/${round}`;
          const release = await storage.moveChannel(newMove({ checkpoint, expected }));
          expected = release.sequence;
          moved.push(checkpoint);
        };
        const work: Promise<unknown>[] = [];
        for (const { commit, round } of steps) {
          if (commit) {
            const next = ++rounds;
            const stored = storage.commit(newModel(run, next, new Float32Array([next])));
            work.push(stored.then(() => storage.prune(run.id, { last: 1, every: 0 })));
          }
          // It names what is there, or is refused by name.
          else
            work.push(
              move(round % (rounds + 1)).catch((thrown: CoppiceError) =>
                expect(['checkpoint-unknown', 'release-conflict']).toContain(thrown.code),
              ),
            );
        }
        await s.waitFor(Promise.all(work));
        const last = await storage.lastRelease('toy', 'production');
        expect(last?.checkpoint ?? null).toBe(moved.at(-1) ?? null);
        if (last?.checkpoint != null) {
          expect(await storage.checkpoint(last.checkpoint)).toMatchObject({ hash: last.hash });
          expect(weightsHash(await storage.weights(last.hash as string))).toBe(last.hash);
        }
        await storage.close();
      }),
      { numRuns: 150 },
    );
  });

  it('leaves a release that is taken back within its time', async () => {
    const clock = new ManualClock(1000);
    const storage = withRetention(memoryStorage(), {
      rule: { last: 1, every: 0 },
      released: 500,
      clock,
      failed: (thrown) => expect.unreachable(String(thrown)),
    });
    const run = await storage.createRun(newRun(new Float32Array([0])));
    const commit = (round: number) => storage.commit(newModel(run, round, new Float32Array([round])));
    const kept = async () => (await storage.checkpoints(run.id)).map(({ round }) => round);
    await commit(1);
    await storage.moveChannel(newMove({ at: 1000 }));
    await commit(2);
    await storage.moveChannel(newMove({ checkpoint: 'toy-1/2', expected: 1, at: 1000 }));
    clock.jump(500);
    await commit(3);
    await expect.poll(kept).toEqual([3, 2, 1]);
    clock.jump(1);
    await commit(4);
    await expect.poll(kept).toEqual([4, 2]);
    await storage.close();
  });

  it('goes after each commit; what a backup or a crash left, at the next start; what is not ours, never', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'coppice-retention-'));
    try {
      const blobs = fileBlobs(join(folder, 'blobs'));
      const failures: unknown[] = [];
      const open = async () =>
        withRetention(await openSqliteStorage(folder), {
          rule: { last: 2, every: 5 },
          released: 0,
          clock: new ManualClock(),
          failed: (thrown) => failures.push(thrown),
        });
      const first = await open();
      for (let round = 0; round < 13; round++) await store(first, 'a', round, new Float32Array([round, 0.5]));
      await first.close();
      // Forgotten by a coordinator that died before it deleted the weights.
      const orphan = await blobs.put(new Uint8Array([1, 2, 3]));
      const database = new DatabaseSync(join(folder, 'coppice.db'));
      database
        .prepare('insert into litter values (?), (?)')
        .run(orphan, weightsHash(new Float32Array([12, 0.5])));
      database.close();

      const second = await open();
      expect((await second.checkpoints('a-1')).map(({ round }) => round)).toEqual([12, 11, 10, 5, 0]);
      await expectWhole(second, blobs);
      await second.close();

      // With the wrong database before them, the weights stay.
      const before = await listed(blobs);
      for (const file of ['coppice.db', 'coppice.db-wal', 'coppice.db-shm'])
        rmSync(join(folder, file), { force: true });
      const wrong = await open();
      await store(wrong, 'b', 0, new Float32Array([9]));
      await wrong.close();
      expect(await listed(blobs)).toEqual(expect.arrayContaining(before));
      expect(failures).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('stays while a backup is being made, and goes after it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'coppice-retention-'));
    try {
      const blobs = fileBlobs(join(folder, 'data', 'blobs'));
      const storage = await openSqliteStorage(join(folder, 'data'));
      for (const round of [0, 1, 2]) await store(storage, 'a', round, new Float32Array([10 * round]));
      const release = holdBlobs(join(folder, 'data'), 'shared');
      expect(release).not.toBeNull();
      expect(await storage.prune('a-1', { last: 1, every: 0 })).toBe(2);
      expect(await listed(blobs)).toHaveLength(6);
      // Two backups at once do not keep each other from anything.
      await backUp({ ...defaultConfig, dataDir: join(folder, 'data') }, join(folder, 'backup'));
      release?.();
      await storage.prune('a-1', { last: 1, every: 0 });
      await expectWhole(storage, blobs);
      await storage.close();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
