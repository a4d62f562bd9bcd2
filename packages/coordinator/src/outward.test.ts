import { CoppiceError } from '@coppice/protocol';
import { afterEach, expect, it } from 'vitest';
import { type Coordinator, startCoordinator } from './coordinator.ts';
import { outward } from './outward.ts';
import { memoryStorage } from './storage/memory.ts';
import { memorySpool } from './storage/memory-spool.ts';

let coordinator: Coordinator | null = null;
afterEach(async () => {
  await coordinator?.close();
  coordinator = null;
});

it('strangers learn that the disk has trouble, not where it is; an admin learns both', async () => {
  const broken = () =>
    Promise.reject(new CoppiceError('storage-failed', '/srv/coppice/blobs/ab/cdef cannot be read: EIO.'));
  const running = await startCoordinator({
    config: { port: 0, logLevel: 'silent', adminKey: 'a-key-for-tests' },
    storage: { ...memoryStorage(), checkpoint: broken, latestOfTask: broken, audit: broken },
    spool: memorySpool(),
  });
  coordinator = running;
  const error = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${running.url}${path}`, { headers });
    expect(response.status).toBe(500);
    return ((await response.json()) as { error: { code: string; message: string } }).error;
  };
  const told = await error('/models/mnist-2nn/latest/model.json');
  expect(told.code).toBe('storage-failed');
  expect(told.message).not.toContain('/srv');
  const admin = await error('/api/audit', { authorization: 'Bearer a-key-for-tests' });
  expect(admin).toMatchObject({ code: 'storage-failed', message: expect.stringContaining('/srv/coppice') });
});

it('what concerns a participant is told as it is', () => {
  const error = { code: 'update-norm', message: 'The update is too long.' } as const;
  expect(outward(error)).toEqual(error);
  expect(outward({ code: 'internal', message: 'x is undefined' }).message).not.toContain('undefined');
});
