import type { Admission, Ban } from '@coppice/protocol';
import type { AdmissionStorage, ListedRecord, RunInvitationRecord } from './admission-storage.ts';
import { storableText } from './storable-text.ts';

/** The admission part of `memoryStorage`. */
export function memoryAdmission(): AdmissionStorage {
  const admissions = new Map<string, Admission>();
  const invitations = new Map<string, RunInvitationRecord>();
  const listed = new Map<string, ListedRecord>();
  const bans = new Map<string, Ban>();
  const keyOf = (run: string, participant: string) => `${run}/${participant}`;
  const newest = <T extends { createdAt: number; id: string }>(found: T[]) =>
    structuredClone(found.sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1)));

  return {
    async setAdmission(run, admission) {
      admissions.set(run, admission);
    },
    async admissions() {
      const all = [...admissions].map(([run, admission]) => ({ run, admission }));
      return all.sort((a, b) => (a.run < b.run ? -1 : 1));
    },
    async addRunInvitation(invitation) {
      invitations.set(invitation.id, structuredClone(storableText(invitation)));
    },
    runInvitations: async (run) => newest([...invitations.values()].filter((one) => one.run === run)),
    async revokeRunInvitation(id, at) {
      const found = invitations.get(id);
      if (found !== undefined && found.revokedAt === null) invitations.set(id, { ...found, revokedAt: at });
    },
    async useRunInvitation({ hash, run, participant, at }) {
      const known = listed.get(keyOf(run, participant));
      if (known !== undefined) return structuredClone(known);
      const found = [...invitations.values()].find((one) => one.hash === hash && one.run === run);
      if (found === undefined || found.revokedAt !== null) return null;
      if (found.expiresAt !== null && found.expiresAt <= at) return null;
      if (found.maxUses !== null && found.uses >= found.maxUses) return null;
      invitations.set(found.id, { ...found, uses: found.uses + 1 });
      const made = { run, participant, invitation: found.id, note: '', by: found.by, createdAt: at };
      listed.set(keyOf(run, participant), made);
      return structuredClone(made);
    },
    async list(records) {
      for (const record of records) {
        const key = keyOf(record.run, record.participant);
        if (!listed.has(key)) listed.set(key, structuredClone(storableText(record)));
      }
    },
    async listed() {
      const all = [...listed.values()];
      return structuredClone(
        all.sort((a, b) => b.createdAt - a.createdAt || (a.participant < b.participant ? -1 : 1)),
      );
    },
    async unlist(run, participants) {
      for (const participant of participants) listed.delete(keyOf(run, participant));
    },
    async addBan(ban) {
      bans.set(ban.id, structuredClone(storableText(ban)));
    },
    bans: async () => newest([...bans.values()]),
    async removeBan(id) {
      bans.delete(id);
    },
  };
}
