import type { Event, KnownEvent } from '@coppice/protocol';

interface Circumstances {
  readonly round: number | null;
  readonly level: Event['level'];
  /** The participant that the event is about. Such events are counted where they are many. */
  readonly participant?: string;
  /** The number of events that it stands for, where they were counted. */
  readonly count?: number;
}

/** An event of a run, before it is dated, numbered and put into words. */
export type RunEvent = KnownEvent & Circumstances;

/** An event of a run or, where `run` is `null`, of the coordinator. */
export type NewEvent = RunEvent & { readonly run: string | null };
