import { remembered } from '../link/remembered.ts';

/** The run that this device takes part in, stored so that it resumes after a reload. */
export interface TakingPart {
  readonly run: string;
  /** True where the person paused, not the page. */
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
