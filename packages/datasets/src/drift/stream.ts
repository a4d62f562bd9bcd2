import type { Task } from '@coppice/protocol';
import type { RawExamples } from '../examples.ts';

/**
 * New examples of a task's participants, period by period, on a script. The same arguments give the same examples on every
 * machine, in whatever order they are asked for.
 */
export interface Stream {
  readonly task: Task;
  /**
   * @param participant from 0.
   * @param period from 1; 0 stands for the examples before the first.
   */
  examples(participant: number, period: number): RawExamples;
}

/** How many examples a stream gives. */
export interface StreamSize {
  readonly participants: number;
  /** Periods after period 0. */
  readonly periods: number;
  /** Examples of one participant in period 0, and in each later one. */
  readonly first: number;
  readonly each: number;
}

/** The examples of one participant in one period of a stream. */
export function countIn(period: number, { first, each }: Pick<StreamSize, 'first' | 'each'>): number {
  return period === 0 ? first : each;
}
