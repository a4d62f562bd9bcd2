import type { MonitoredState, MonitorTerms, ObservedPrediction, Source } from '@coppice/participant';
import type { DataSchema, ReleaseNews } from '@coppice/protocol';
import type { PartState, PartTerms } from './taking-part.ts';

/** A message that left this device for the coordinator. */
export interface Sent {
  /** `offer`, `report`, `statistics`, `comparison`, `update`, `measures`, or the name of another message of the protocol. */
  readonly kind: string;
  /** Bytes of the whole message. */
  readonly bytes: number;
  /** What it tells, in a sentence of English. */
  readonly tells: string;
}

/** What a device tells its pages, by task. */
export type DeviceEvent =
  | { readonly kind: 'release'; readonly task: string; readonly news: ReleaseNews | null }
  | { readonly kind: 'monitored'; readonly task: string; readonly state: MonitoredState | null }
  | { readonly kind: 'part'; readonly task: string; readonly state: PartState | null }
  | { readonly kind: 'sent'; readonly task: string | null; readonly sent: Sent };

/** An example with its label, in stored form. */
export interface NewExample {
  readonly data: DataSchema;
  readonly features: Uint8Array | Float32Array | Float64Array;
  /** The index of the class, or the number in the target's unit. */
  readonly label: number;
  readonly source: Source;
}

/** This device at one coordinator, for all pages of an origin: one identity and one connection. */
export interface Device {
  /** See `Session` of `participant`. */
  monitor(task: string, how: MonitorTerms): Promise<void>;
  unmonitor(task: string): Promise<void>;
  observe(task: string, prediction: ObservedPrediction): Promise<void>;
  outcome(task: string, id: string, label: number): Promise<boolean>;
  /** Keeps an example for training here. @throws CoppiceError `data-invalid`, `storage-full`, `storage-failed` */
  add(task: string, example: NewExample): Promise<void>;
  /** See `TakingPart`. */
  takePart(task: string, how: PartTerms): Promise<void>;
  leave(task: string): Promise<void>;
  /** Takes an input of the person: the device is not idle. */
  active(): void;
  /** Calls back with each event from now on, after what is known already. Returns the end. */
  subscribe(heard: (event: DeviceEvent) => void): () => void;
  /** Writes what was counted, before the page may end. */
  save(): Promise<void>;
  close(): void;
}
