import type { WatchInfo } from '@coppice/protocol';

/** What a task's watch is, in plain facts: for the question whether a person agrees. */
export interface WatchFacts {
  /** Whether the task is watched now. */
  readonly watched: boolean;
  /** The version of the consent, for `monitor`; null where the task is not watched. */
  readonly consent: string | null;
  /** The length of a period in milliseconds: one report leaves a browser in each. Null where the task is not watched. */
  readonly periodMilliseconds: number | null;
  /** The fewest predictions of which anything leaves a browser. */
  readonly minimum: number | null;
  /** Names of the columns whose distributions are reported; empty while no release is watched. */
  readonly columns: readonly string[];
  /** The name of the column by whose values errors are told apart; null: they are not. */
  readonly groups: string | null;
  /** Noise on the sums of reports: the ε and δ of the task's budget. Null: none is added. */
  readonly privacy: { readonly epsilon: number; readonly delta: number } | null;
}

export function watchFacts(info: WatchInfo): WatchFacts {
  const { state, consent, periodMilliseconds, minimum, privacy, reference } = info;
  return {
    watched: state !== 'off',
    consent,
    periodMilliseconds,
    minimum,
    columns: columnNames(reference?.binning),
    groups: groupsOf(reference?.binning),
    privacy: privacy === null ? null : { epsilon: privacy.epsilon, delta: privacy.delta },
  };
}

function groupsOf(binning: unknown): string | null {
  const { groups } = (binning ?? {}) as { groups?: unknown };
  return typeof groups === 'string' ? groups : null;
}

function columnNames(binning: unknown): string[] {
  const { columns } = (binning ?? {}) as { columns?: unknown };
  const names = Array.isArray(columns)
    ? columns.map((column) => (column as { name?: unknown } | null)?.name)
    : [];
  return names.filter((name) => typeof name === 'string');
}
