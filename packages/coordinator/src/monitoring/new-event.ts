import type { Event, KnownEvent } from '@coppice/protocol';

interface Circumstances {
  readonly round: number | null;
  readonly level: Event['level'];
  /** The subject of the event. Many similar events of one participant are counted. */
  readonly participant?: string;
  /** The number of counted events that it stands for. */
  readonly count?: number;
}

/** An event of a run, before it has a date, a number and a sentence. */
export type RunEvent = KnownEvent & Circumstances;

/** An event of a run or, where `run` is `null`, of the coordinator. */
export type NewEvent = RunEvent & { readonly run: string | null };
