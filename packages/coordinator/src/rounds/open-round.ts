import { type CohortSizes, ExactAccumulator } from '@coppice/federation';
import type { Metrics, Outcome, Phase, Round, WireError } from '@coppice/protocol';
import type { RoundOpening } from '../storage/spool.ts';
import type { Bytes } from './audience.ts';

export interface CohortMember {
  outcome: Outcome;
  /** Milliseconds from being asked to the outcome. */
  milliseconds: number | null;
  readonly bytesBefore: Bytes;
  /** Whether an update of this member was refused in this attempt. */
  refused: boolean;
  /** Whether this member said, or was told, that its training diverged. */
  diverged: boolean;
  /** Settles when the member's update is on disk. */
  stored?: Promise<void>;
}

/** A round from selection to its end: everything about it that lives in memory. */
export interface OpenRound {
  readonly run: string;
  readonly round: number;
  readonly attempt: number;
  readonly sizes: CohortSizes;
  readonly parent: string;
  /** By the date; so long it has lasted, and so long it may, is counted on what nobody can set. */
  readonly startedAt: number;
  /** `elapsed` when it began. */
  readonly beganAt: number;
  /** `elapsed` at its deadline. */
  readonly dueAt: number;
  readonly cohort: Map<string, CohortMember>;
  /** What counts: some of it may still be on its way into the sum. */
  readonly counted: { updates: number; examples: number };
  readonly sum: ExactAccumulator;
  /** Settles when all that counts is in the sum. */
  summed: Promise<void>;
  /** The parent model on participants' held-out examples. */
  readonly evaluations: Metrics[];
  /** Training losses, each with its example count. */
  readonly losses: Metrics[];
  readonly phases: Partial<Record<Phase, number>>;
}

/** A round with nobody's update yet: as it was drawn, or as it was written down. */
export function openRound(
  opening: RoundOpening,
  parameters: number,
  {
    outcome,
    bytes,
    beganAt,
    dueAt,
  }: { outcome: 'asked' | 'away'; bytes: (participant: string) => Bytes; beganAt: number; dueAt: number },
): OpenRound {
  const { cohort, deadlineAt: _, ...fields } = opening;
  return {
    ...fields,
    beganAt,
    dueAt,
    cohort: new Map(
      cohort.map((id) => [
        id,
        { outcome, milliseconds: null, bytesBefore: bytes(id), refused: false, diverged: false },
      ]),
    ),
    counted: { updates: 0, examples: 0 },
    sum: new ExactAccumulator(parameters),
    summed: Promise.resolve(),
    evaluations: [],
    losses: [],
    phases: {},
  };
}

export interface RoundEnding {
  readonly outcome: Round['outcome'];
  readonly reason: WireError | null;
  /** `elapsed` at the end; null while the round is open. */
  readonly ended: number | null;
  readonly central: Metrics | null;
  readonly checkpoint: string | null;
  readonly trainingLoss: number | null;
  readonly bytes: Bytes;
}

/** The cohort member that this participant is, if it was asked and still owes an answer; else `null`. */
export function owing(open: OpenRound | null, participant: string): CohortMember | null {
  const member = open?.cohort.get(participant);
  return member !== undefined && owes(member) ? member : null;
}

/** How many cohort members were asked and still owe an answer. */
export function pending(open: OpenRound): number {
  return count(open, owes);
}

/** How many cohort members diverged. */
export function diverged(open: OpenRound): number {
  return count(open, (member) => member.diverged);
}

function owes({ outcome }: CohortMember): boolean {
  return outcome === 'asked' || outcome === 'away';
}

function count(open: OpenRound, which: (member: CohortMember) => boolean): number {
  let members = 0;
  for (const member of open.cohort.values()) if (which(member)) members++;
  return members;
}

/** The round as it is stored and shown. */
export function toRecord(open: OpenRound, ending: RoundEnding): Round {
  return {
    run: open.run,
    round: open.round,
    attempt: open.attempt,
    outcome: ending.outcome,
    reason: ending.reason,
    startedAt: open.startedAt,
    endedAt: ending.ended === null ? null : open.startedAt + ending.ended - open.beganAt,
    target: open.sizes.target,
    asked: open.cohort.size,
    accepted: open.counted.updates,
    refused: count(open, ({ refused }) => refused),
    examples: open.counted.examples,
    phases: { ...open.phases },
    bytesUp: ending.bytes.up,
    bytesDown: ending.bytes.down,
    central: ending.central,
    federated: null,
    trainingLoss: ending.trainingLoss,
    parent: open.parent,
    checkpoint: ending.checkpoint,
    cohort: [...open.cohort].map(([participant, { outcome, milliseconds }]) => ({
      participant,
      outcome,
      milliseconds,
    })),
  };
}
