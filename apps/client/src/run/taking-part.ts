import { remembered } from '../link/remembered.ts';

/** What one takes part in, kept so that a reload goes on with it. */
export interface TakingPart {
  readonly run: string;
  /** Paused by the person, not by the page. */
  readonly paused: boolean;
}

export const takingPart = remembered<TakingPart | null>(
  'taking-part',
  null,
  (value): value is TakingPart | null =>
    value === null ||
    (typeof value === 'object' &&
      typeof (value as TakingPart).run === 'string' &&
      typeof (value as TakingPart).paused === 'boolean'),
);
