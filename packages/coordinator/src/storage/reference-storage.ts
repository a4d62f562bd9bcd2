import type { Binning, Reference } from '@coppice/continuity';
import type { CheckpointId } from '@coppice/protocol';

/** What is known of a release's reference: the agreed bins, then the distributions in them. */
export interface StoredReference {
  readonly task: string;
  /** The number of the move of production. */
  readonly release: number;
  readonly checkpoint: CheckpointId;
  /** The hash of the checkpoint's weights. */
  readonly hash: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly binning: Binning;
  /** Null while it is being made. */
  readonly reference: Reference | null;
}

/** The cost of an exchange whose sum was read, in ρ of zero-concentrated differential privacy. */
export interface Spending {
  /** The exchange's name: each is counted once. */
  readonly exchange: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly rho: number;
}

/** The part of `Storage` for references of releases, the ledger of privacy, and the secrets of watches. */
export interface ReferenceStorage {
  /** Null where nothing is known yet. */
  reference(task: string, release: number): Promise<StoredReference | null>;
  /**
   * Stores what is known of a reference, in the place of what was known before, in one transaction with its cost. A reference
   * that is made stays as it is.
   *
   * @param spending null: it costs nothing.
   */
  putReference(reference: StoredReference, spending: Spending | null): Promise<void>;
  /** The sum of ρ of a task's exchanges. */
  spentRho(task: string): Promise<number>;
  /** The secret of a task's tickets: the one that is stored, else the given one, stored from now on. */
  watchSecret(task: string, fresh: string): Promise<string>;
}
