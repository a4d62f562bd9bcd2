import { PolicySchema } from '@coppice/continuity';
import { FiringOutcomeSchema, FiringSchema, HashSchema } from '@coppice/protocol';
import * as z from 'zod/mini';
import type { Spending } from './reference-storage.ts';

const count = z.int().check(z.minimum(0));

/** A firing as it is kept: what operators see, and what a restart needs to go on with it. */
export const StoredFiringSchema = z.extend(FiringSchema, {
  /** Grows with every change, from 1. */
  revision: z.int().check(z.minimum(1)),
  /** The policy that it goes by, to its end. */
  rules: PolicySchema,
  /** The secret that assigns participants to the groups of its canary. */
  secret: z.string().check(z.minLength(16)),
  /** The move that made production name what its run begins from, and the hash of those weights. */
  basis: z.strictObject({ sequence: z.int().check(z.minimum(1)), hash: HashSchema }),
  /** Milliseconds since 1970: examples from then on are the recent ones of its comparison. */
  since: z.number(),
  /** True once the channel `candidate` names its candidate. */
  isNamed: z.boolean(),
  /** The hash of the candidate's weights; null before there is one. */
  hash: z.nullable(HashSchema),
  /** Comparisons that were begun, the open one included. */
  comparisons: count,
  /** The last period that was looked at for its comparison or canary, or that was stored when that began; −1: none. */
  looked: z.int().check(z.minimum(-1)),
  /** The last period that was stored when its canary began, −1: none; null before. */
  canarySince: z.nullable(z.int().check(z.minimum(-1))),
  /**
   * Milliseconds since 1970 since when it waits for a round of its run; null: before, or while an admin has paused the run.
   * Firings that earlier versions stored wait anew.
   */
  waitsSince: z._default(z.nullable(z.number()), null),
  /** How it ends, while that is carried out; null before. */
  ending: z.nullable(FiringOutcomeSchema),
});
export type StoredFiring = z.infer<typeof StoredFiringSchema>;

/** A firing to be added: storage gives it its number. */
export type NewFiring = Omit<StoredFiring, 'sequence' | 'revision'>;

/** The most firings in a page, where no other limit is given. */
export const FIRINGS_A_PAGE = 50;

/** Firings before a number, or the last ones, newest first. */
export interface FiringPage {
  readonly before?: number;
  readonly limit?: number;
}

/** The part of `Storage` for firings of triggers, which are never deleted. */
export interface FiringStorage {
  /** Adds a firing with the task's next number. @throws CoppiceError `firing-refused` while another one of the task has not ended. */
  addFiring(firing: NewFiring): Promise<StoredFiring>;
  /**
   * Replaces a firing where it is at the revision of the one given, and raises the revision, in one transaction with the cost of
   * what the change follows from.
   *
   * @param spending null, or left out: it costs nothing.
   * @throws CoppiceError `firing-refused` where it was changed meanwhile, or does not exist; nothing is changed then.
   */
  putFiring(firing: StoredFiring, spending?: Spending | null): Promise<StoredFiring>;
  /** The firing of a task that has not ended; null where there is none. */
  openFiring(task: string): Promise<StoredFiring | null>;
  /** The firings that have not ended, of all tasks, by the names of the tasks. */
  openFirings(): Promise<StoredFiring[]>;
  /** A page of a task's firings, newest first. */
  firings(task: string, page?: FiringPage): Promise<StoredFiring[]>;
}
