import type { RawExamples, Stream, StreamSize } from '@coppice/datasets';
import type { Json, PlanInputValues } from '@coppice/protocol';

/** A change that a script makes. `drift`: of the inputs or of their meaning. `fault`: the data are broken, and training on them is no cure. */
export interface Change {
  /** The first period of it, from 1. */
  readonly period: number;
  /** The last period of it; null: it stays. */
  readonly until: number | null;
  readonly kind: 'drift' | 'fault';
}

/** A policy, and the first period in which it holds. */
export interface PolicyStep {
  readonly period: number;
  /** As `PUT /api/tasks/:task/policy` takes it. */
  readonly policy: Json;
}

/** A script of data that change after a model was released, and the ways in which the model is kept good. */
export interface Scenario {
  readonly name: string;
  /** One sentence for `--list` and reports. */
  readonly summary: string;
  readonly size: StreamSize;
  /** Changes by the script, in the order of their periods. */
  readonly changes: readonly Change[];
  /** The examples of participants, true in features and labels. */
  stream(size: StreamSize, seed: number): Promise<Stream>;
  /** The examples of a period as devices store them, where a fault makes them other than they are. */
  stored?(examples: RawExamples, period: number): RawExamples;
  /** The plan of the first model, and of each later run. */
  readonly first: PlanInputValues;
  readonly again: PlanInputValues;
  /** Periods between two runs of the fixed schedule. */
  readonly every: number;
  /** The policies of the loop, the first of them from period 1. */
  readonly policies: readonly PolicyStep[];
}

/** The number of periods at the end over which a scenario's last accuracy is measured. */
export function lastPeriods({ periods }: Pick<StreamSize, 'periods'>): number {
  return Math.max(1, Math.floor(periods / 6));
}

/** The period from which on data are new: of the last change, or the first where nothing changes. */
export function newFrom({ changes }: Pick<Scenario, 'changes'>): number {
  return changes.at(-1)?.period ?? 1;
}
