import type { RawExamples } from '@coppice/datasets';

/** The initial message to the thread of devices. */
export interface DevicesData {
  readonly url: string;
  readonly task: string;
  /** The digits of each device: the first `own` are on it from the start, the others come while it is used. */
  readonly devices: readonly RawExamples[];
  readonly own: number;
  /** The digits that come to a device in one period. */
  readonly each: number;
  /** The digits that models are measured on; no device has them. */
  readonly test: RawExamples;
  /** True where turned digits came to the devices before. */
  readonly turned: boolean;
}

/** Messages to the thread of devices. */
export type DevicesCommand =
  | { readonly kind: 'begin'; readonly data: DevicesData }
  /** All devices join a run. */
  | { readonly kind: 'join'; readonly run: string }
  /** All devices predict and report from now on, and take part in later runs. */
  | { readonly kind: 'use' }
  /** The digits that come from now on are turned. */
  | { readonly kind: 'turn' }
  | { readonly kind: 'measure'; readonly hash: string };

/** Shares of right answers of a model, 0–1. */
export interface Measured {
  readonly upright: number;
  readonly turned: number;
}

/** Messages from the thread of devices. */
export type DevicesEvent =
  /** All devices have joined the run. */
  | { readonly kind: 'joined' }
  /** All devices offer reports. */
  | { readonly kind: 'used' }
  /** `accuracy`: null where the model could not be read. */
  | { readonly kind: 'measured'; readonly hash: string; readonly accuracy: Measured | null }
  | { readonly kind: 'failed'; readonly message: string };
