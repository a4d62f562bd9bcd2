import type { Stall } from './stall-meter.ts';

/* What the processes of a load test say to each other. */

export interface Counts {
  readonly joined: number;
  readonly asked: number;
  readonly acknowledged: number;
  readonly refused: number;
  readonly ended: number;
  readonly closed: number;
}

export type ToParticipants =
  | {
      readonly kind: 'connect';
      readonly url: string;
      readonly run: string;
      readonly name: string;
      readonly count: number;
      readonly atOnce: number;
      /** True to deliver as soon as they are asked, false to wait for `deliver`. */
      readonly eager: boolean;
    }
  | { readonly kind: 'deliver' }
  | { readonly kind: 'usage' }
  | { readonly kind: 'close' };

export type FromParticipants =
  | ({ readonly kind: 'counts' } & Counts)
  | { readonly kind: 'usage'; readonly cpu: number };

export type ToCoordinator =
  /** Counts stalls for this phase from here on. */
  | { readonly kind: 'phase'; readonly phase: string }
  | { readonly kind: 'usage'; readonly collectGarbage: boolean };

/** CPU in milliseconds of all threads; memory in bytes. */
export interface Usage {
  readonly cpu: number;
  readonly peak: number;
  readonly resident: number;
  readonly heap: number;
  readonly external: number;
  /** Stalls by phase, since the start. */
  readonly stalls: Readonly<Record<string, Stall>>;
}

export type FromCoordinator =
  | { readonly kind: 'ready'; readonly url: string; readonly key: string }
  | { readonly kind: 'phase' }
  | ({ readonly kind: 'usage' } & Usage);
