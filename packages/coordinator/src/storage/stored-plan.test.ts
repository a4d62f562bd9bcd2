import { DatabaseSync } from 'node:sqlite';
import { defaultPlan, MAX_COHORT, PLAN_VERSION, PlanSchema } from '@coppice/protocol';
import { sampleTask } from '@coppice/protocol/testing';
import { Kysely } from 'kysely';
import { expect, it } from 'vitest';
import { memoryBlobs } from './memory-blobs.ts';
import { newRun } from './new-run.testing.ts';
import { nodeSqliteDialect } from './node-sqlite-dialect.ts';
import type { Tables } from './schema.ts';
import { sqlStorage } from './sql.ts';
import { sqliteFlavour } from './sqlite.ts';

async function open() {
  const db = new Kysely<Tables>({ dialect: nodeSqliteDialect(new DatabaseSync(':memory:')) });
  const storage = await sqlStorage(db, { blobs: memoryBlobs(), flavour: sqliteFlavour, where: 'here' });
  const record = await storage.createRun(
    newRun(new Float32Array([1]), { task: sampleTask, plan: { ...defaultPlan, seed: 5 } }),
  );
  const rewrite = async (change: (run: Record<string, unknown>) => unknown) => {
    const { json } = await db.selectFrom('run').select('json').executeTakeFirstOrThrow();
    await db
      .updateTable('run')
      .set({ json: JSON.stringify(change(JSON.parse(json) as Record<string, unknown>)) })
      .execute();
  };
  return { storage, rewrite, record };
}

it('is stored with its version, which the record does not show', async () => {
  const { storage, rewrite, record } = await open();
  expect(await storage.runs()).toEqual([record]);
  let stored: unknown;
  await rewrite((run) => {
    stored = run.planVersion;
    return run;
  });
  expect(stored).toBe(PLAN_VERSION);
  await storage.close();
});

it('from before versions, and from before a field, is read as what it stood for', async () => {
  const { storage, rewrite, record } = await open();
  await rewrite(({ planVersion: _none, ...run }) => {
    const { maxNorm: _bound, downloadForm: _form, ...plan } = run.plan as typeof defaultPlan;
    return { ...run, plan };
  });
  // There was no bound then, though runs of today have one by default.
  expect((await storage.runs())[0]?.plan).toEqual({ ...record.plan, maxNorm: null });
  await storage.close();
});

it('with a larger cohort than a sum takes is read as one that can be', async () => {
  const { storage, rewrite, record } = await open();
  await rewrite((run) => ({ ...run, plan: { ...(run.plan as typeof defaultPlan), cohortSize: 100_000 } }));
  const [read] = await storage.runs();
  expect(read?.plan).toEqual({ ...record.plan, cohortSize: MAX_COHORT });
  expect(() => PlanSchema.parse(read?.plan)).not.toThrow();
  await storage.close();
});

it('of a later version is refused by name', async () => {
  const { storage, rewrite } = await open();
  await rewrite((run) => ({ ...run, planVersion: PLAN_VERSION + 1 }));
  await expect(storage.runs()).rejects.toMatchObject({
    code: 'storage-too-new',
    message: expect.stringContaining(`version ${PLAN_VERSION + 1}`),
  });
  await storage.close();
});
