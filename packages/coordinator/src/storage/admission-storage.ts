import type { Admission, Ban, ListedParticipant, RunInvitation } from '@coppice/protocol';

/** An invitation to a run; of its secret only the SHA-256 is kept. */
export interface RunInvitationRecord extends RunInvitation {
  readonly hash: string;
}

/** That a run admits a participant. A run has a participant once. */
export interface ListedRecord extends ListedParticipant {
  readonly run: string;
}

/** The part of `Storage` that knows who may take part in a run. */
export interface AdmissionStorage {
  setAdmission(run: string, admission: Admission): Promise<void>;
  /** Of the runs for which it was ever set. */
  admissions(): Promise<{ run: string; admission: Admission }[]>;

  addRunInvitation(invitation: RunInvitationRecord): Promise<void>;
  /** A run's, newest first, revoked and used ones too. */
  runInvitations(run: string): Promise<RunInvitationRecord[]>;
  /** Marks one as revoked; one that was stays as it was. */
  revokeRunInvitation(id: string, at: number): Promise<void>;
  /**
   * Lists a participant by the invitation with this hash, and counts the use, both or neither. Who is on
   * the run's list already uses nothing up.
   *
   * @returns how the participant is on the list now; `null` where it is not: the invitation is unknown,
   *   another run's, expired, revoked or used up. Of two callers for the last use only one gets it.
   */
  useRunInvitation(use: {
    hash: string;
    run: string;
    participant: string;
    at: number;
  }): Promise<ListedRecord | null>;

  /** Adds to runs' lists; who is there already stays as it was. */
  list(records: readonly ListedRecord[]): Promise<void>;
  /** Every run's, newest first. */
  listed(): Promise<ListedRecord[]>;
  unlist(run: string, participants: readonly string[]): Promise<void>;

  addBan(ban: Ban): Promise<void>;
  /** Newest first. */
  bans(): Promise<Ban[]>;
  removeBan(id: string): Promise<void>;
}
