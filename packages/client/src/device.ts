import type { MonitoredState, MonitorTerms, ObservedPrediction } from '@coppice/participant';
import type { ReleaseNews } from '@coppice/protocol';

/** A message that left this device for the coordinator. */
export interface Sent {
  /** `offer`, `report`, `statistics`, `comparison`, or the name of another message of the protocol. */
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
  | { readonly kind: 'sent'; readonly task: string | null; readonly sent: Sent };

/** This device at one coordinator, for all pages of an origin: one identity and one connection. */
export interface Device {
  /** See `Session` of `participant`. */
  monitor(task: string, how: MonitorTerms): Promise<void>;
  unmonitor(task: string): Promise<void>;
  observe(task: string, prediction: ObservedPrediction): Promise<void>;
  outcome(task: string, id: string, label: number): Promise<boolean>;
  /** Calls back with each event from now on, after what is known already. Returns the end. */
  subscribe(heard: (event: DeviceEvent) => void): () => void;
  /** Writes what was counted, before the page may end. */
  save(): Promise<void>;
  close(): void;
}
