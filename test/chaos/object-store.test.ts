import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openStorage, readConfig } from '@coppice/coordinator';
import { findMoto, startMoto } from '@coppice/coordinator/moto';
import type { Round } from '@coppice/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { committedRounds, finished, startRuns, stopAll, until } from './world.ts';

const program = findMoto();
const ended: (() => Promise<void>)[] = [];
afterEach(async () => {
  await stopAll();
  for (const end of ended.splice(0)) await end();
});

/** All models of a run, each read through its checksum. */
async function models(dataDir: string, environment: Record<string, string>, run: string) {
  const config = readConfig(['--data-dir', dataDir], environment);
  if (config === 'help') throw new Error('nobody asked for help');
  const storage = await openStorage(config);
  try {
    const found = await storage.checkpoints(run);
    for (const { hash } of found) await storage.weights(hash);
    return found.map(({ round, hash }) => [round, hash]);
  } finally {
    await storage.close();
  }
}

describe.skipIf(program === null && process.env.CI !== 'true')('weights in an object store', () => {
  it('make the same model, though coordinator and store die; and move to files and back', {
    timeout: 240_000,
  }, async ({ signal }) => {
    if (program === null) throw new Error('CI must have an S3 server: pip install "moto[server]"');
    const size = { clients: 4, rounds: 60 };
    const expected = await finished(await startRuns(size), signal);

    const store = await startMoto(program, { remembers: true });
    ended.push(() => store.stop());
    const bucket = await store.bucket();
    const at = (prefix: string) => ({
      COPPICE_BLOB_URL: `s3://${bucket}/${prefix}`,
      AWS_ENDPOINT_URL_S3: store.url,
      AWS_ACCESS_KEY_ID: 'a-key',
      AWS_SECRET_ACCESS_KEY: 'its-secret',
    });
    const { lives, run } = await startRuns(size, at('one'));
    const reached = (rounds: number) =>
      until(async () => (await committedRounds(lives, run)).length >= rounds, signal);

    await reached(3);
    await lives.death(true);
    await lives.begin();
    await reached(5);
    await store.kill();
    await until(async () => {
      const rounds = await lives.api<Round[]>('GET', `/runs/${run}/rounds`);
      return rounds.some(
        ({ outcome, reason }) => outcome === 'abandoned' && reason?.code === 'storage-failed',
      );
    }, signal);
    const before = (await committedRounds(lives, run)).length;
    await store.begin();
    await reached(before + 1);
    await lives.copy('backup', join(lives.folder, 'early'));
    expect((await finished({ lives, run }, signal)).checkpoint).toBe(expected.checkpoint);
    expect(await lives.stop()).toBe(0);
    expect(existsSync(join(lives.folder, 'data', 'blobs'))).toBe(false);

    const all = await models(join(lives.folder, 'data'), at('one'), run);
    expect(all).toHaveLength(size.rounds + 1);
    expect(all[0]).toEqual([size.rounds, expected.checkpoint]);
    // From the store to files, from files to another place in the store.
    await lives.copy('backup', join(lives.folder, 'late'));
    await lives.copy('restore', join(lives.folder, 'late'), { data: 'files', environment: {} });
    expect(await models(join(lives.folder, 'files'), {}, run)).toEqual(all);
    await lives.copy('restore', join(lives.folder, 'early'), { data: 'store', environment: at('two') });
    const early = await models(join(lives.folder, 'store'), at('two'), run);
    expect(early.length).toBeGreaterThan(before);
    expect(all.slice(-early.length)).toEqual(early);
    // Not into what is another's.
    await expect(
      lives.copy('restore', join(lives.folder, 'late'), { data: 'third', environment: at('two') }),
    ).rejects.toThrow('storage-locked');
  });
});
