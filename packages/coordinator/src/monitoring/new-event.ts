import type { Event, JsonObject } from '@coppice/protocol';

/** An event before it is dated and numbered. */
export interface NewEvent extends Omit<Event, 'id' | 'at' | 'data'> {
  /** The participant that the event is about. Such events are counted where they are many. */
  readonly participant?: string;
  /** Facts behind the message, for programs. */
  readonly data?: JsonObject;
}
