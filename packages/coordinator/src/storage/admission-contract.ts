import type { Ban } from '@coppice/protocol';
import { expect, it } from 'vitest';
import type { AdmissionStorage, ListedRecord, RunInvitationRecord } from './admission-storage.ts';

const invitation = (id: string, given: Partial<RunInvitationRecord> = {}): RunInvitationRecord => ({
  id,
  run: 'iris-1',
  hash: `hash of ${id}`,
  label: 'a\0b',
  by: 'Ada',
  createdAt: 1_760_000_000_000,
  expiresAt: null,
  uses: 0,
  maxUses: null,
  revokedAt: null,
  ...given,
});

const listed = (participant: string, given: Partial<ListedRecord> = {}): ListedRecord => ({
  run: 'iris-1',
  participant,
  invitation: null,
  note: '小林',
  by: 'Ada',
  createdAt: 1_760_000_000_000,
  ...given,
});

/** The part of `storageContract` for admission. */
export function admissionContract(open: () => AdmissionStorage): void {
  it('keeps how runs admit, one each', async () => {
    const storage = open();
    expect(await storage.admissions()).toEqual([]);
    await storage.setAdmission('iris-2', 'listed');
    await storage.setAdmission('iris-1', 'open');
    await storage.setAdmission('iris-1', 'invited');
    expect(await storage.admissions()).toEqual([
      { run: 'iris-1', admission: 'invited' },
      { run: 'iris-2', admission: 'listed' },
    ]);
  });

  it('keeps invitations by run, newest first, and when they were revoked first', async () => {
    const storage = open();
    await storage.addRunInvitation(invitation('a', { expiresAt: 5, maxUses: 3 }));
    await storage.addRunInvitation(invitation('b', { createdAt: 1_760_000_000_001 }));
    await storage.addRunInvitation(invitation('c', { run: 'iris-2' }));
    await storage.revokeRunInvitation('a', 7);
    await storage.revokeRunInvitation('a', 8);
    expect(await storage.runInvitations('iris-1')).toEqual([
      { ...invitation('b', { createdAt: 1_760_000_000_001 }), label: 'a\uFFFDb' },
      { ...invitation('a', { expiresAt: 5, maxUses: 3, revokedAt: 7 }), label: 'a\uFFFDb' },
    ]);
  });

  it('lets in by an invitation that is of this run, not revoked, not too old and not used up', async () => {
    const storage = open();
    const use = (id: string, participant: string, at = 10, run = 'iris-1') =>
      storage.useRunInvitation({ hash: `hash of ${id}`, run, participant, at });
    await storage.addRunInvitation(invitation('a', { maxUses: 2, expiresAt: 20 }));
    await storage.addRunInvitation(invitation('gone', { revokedAt: 1 }));
    expect(await use('nothing', 'p')).toBeNull();
    expect(await use('gone', 'p')).toBeNull();
    expect(await use('a', 'p', 10, 'iris-2')).toBeNull();
    expect(await use('a', 'p', 20)).toBeNull();
    expect(await storage.listed()).toEqual([]);
    const first = listed('p', { invitation: 'a', note: '', createdAt: 10 });
    expect(await use('a', 'p')).toEqual(first);
    // A listed participant uses nothing up, with any secret.
    expect(await use('a', 'p', 11)).toEqual(first);
    expect(await use('nothing', 'p', 11)).toEqual(first);
    expect(await use('a', 'q', 12)).toMatchObject({ participant: 'q', invitation: 'a' });
    expect(await use('a', 'r', 13)).toBeNull();
    expect((await storage.runInvitations('iris-1')).find(({ id }) => id === 'a')?.uses).toBe(2);
    expect((await storage.listed()).map(({ participant }) => participant)).toEqual(['q', 'p']);
  });

  it('gives the last use to one of many who come at the same moment', async () => {
    const storage = open();
    await storage.addRunInvitation(invitation('a', { maxUses: 1 }));
    const come = (participant: string) =>
      storage.useRunInvitation({ hash: 'hash of a', run: 'iris-1', participant, at: 1 });
    const answers = await Promise.all(['p', 'q', 'r', 's'].map(come));
    expect(answers.filter((one) => one !== null)).toHaveLength(1);
    expect(await storage.listed()).toHaveLength(1);
    expect((await storage.runInvitations('iris-1'))[0]?.uses).toBe(1);
  });

  it('counts one use for one participant, however many connections it comes by', async () => {
    const storage = open();
    await storage.addRunInvitation(invitation('a', { maxUses: 1 }));
    const use = { hash: 'hash of a', run: 'iris-1', participant: 'p', at: 1 };
    const answers = await Promise.all([1, 2, 3, 4].map(() => storage.useRunInvitation(use)));
    expect(answers.map((one) => one?.participant)).toEqual(['p', 'p', 'p', 'p']);
    expect((await storage.runInvitations('iris-1'))[0]?.uses).toBe(1);
  });

  it('keeps lists: each participant once a run, as it was put there first', async () => {
    const storage = open();
    const many = Array.from({ length: 250 }, (_, i) => listed(`many ${i}`, { run: 'iris-2' }));
    await storage.list([listed('p'), listed('q', { createdAt: 1_760_000_000_001 })]);
    await storage.list([listed('p', { note: 'again' }), ...many]);
    await storage.list([]);
    expect((await storage.listed()).filter(({ run }) => run === 'iris-1')).toEqual([
      listed('q', { createdAt: 1_760_000_000_001 }),
      listed('p'),
    ]);
    await storage.unlist('iris-1', ['q', 'nobody']);
    await storage.unlist(
      'iris-2',
      many.slice(0, 240).map(({ participant }) => participant),
    );
    await storage.unlist('iris-2', []);
    expect(await storage.listed()).toHaveLength(11);
  });

  it('keeps bans, newest first, until they are lifted', async () => {
    const storage = open();
    const ban: Ban = { id: 'a', participant: 'p', run: null, reason: 'r\0', by: 'Ada', createdAt: 1 };
    await storage.addBan(ban);
    await storage.addBan({ ...ban, id: 'b', run: 'iris-1', createdAt: 2 });
    expect(await storage.bans()).toEqual([
      { ...ban, id: 'b', run: 'iris-1', createdAt: 2, reason: 'r\uFFFD' },
      { ...ban, reason: 'r\uFFFD' },
    ]);
    await storage.removeBan('b');
    expect((await storage.bans()).map(({ id }) => id)).toEqual(['a']);
  });
}
