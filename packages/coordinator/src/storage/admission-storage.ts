import type { Admission, Ban, ListedParticipant, RunInvitation } from '@coppice/protocol';

/** An invitation to a run, with only the SHA-256 of its secret. */
export interface RunInvitationRecord extends RunInvitation {
  readonly hash: string;
}

/** The admission of a participant to a run; at most one for each pair. */
export interface ListedRecord extends ListedParticipant {
  readonly run: string;
}

/** The part of `Storage` for admission to runs. */
export interface AdmissionStorage {
  setAdmission(run: string, admission: Admission): Promise<void>;
  /** Modes of the runs for which one was ever set. */
  admissions(): Promise<{ run: string; admission: Admission }[]>;

  addRunInvitation(invitation: RunInvitationRecord): Promise<void>;
  /** A run's invitations, newest first, revoked and used ones included. */
  runInvitations(run: string): Promise<RunInvitationRecord[]>;
  /** Marks an invitation as revoked; a revoked one stays unchanged. */
  revokeRunInvitation(id: string, at: number): Promise<void>;
  /**
   * Lists a participant by the invitation with this hash, and counts the use, in one transaction. A participant that is
   * already listed uses nothing up.
   *
   * @returns the participant's entry; `null` where it has none: the invitation is unknown, another run's, expired,
   *   revoked or used up. Of two concurrent callers for the last use only one gets it.
   */
  useRunInvitation(use: {
    hash: string;
    run: string;
    participant: string;
    at: number;
  }): Promise<ListedRecord | null>;

  /** Adds to runs' lists; existing entries stay unchanged. */
  list(records: readonly ListedRecord[]): Promise<void>;
  /** Entries of all runs, newest first. */
  listed(): Promise<ListedRecord[]>;
  unlist(run: string, participants: readonly string[]): Promise<void>;

  addBan(ban: Ban): Promise<void>;
  /** Newest first. */
  bans(): Promise<Ban[]>;
  removeBan(id: string): Promise<void>;
}
