/** When a run's rounds were committed, as far as this page saw it. */
export interface RoundTimes {
  readonly run: string;
  /** Rounds committed and when, milliseconds on this device's clock; oldest first. */
  readonly seen: readonly { readonly round: number; readonly at: number }[];
}

/** As many rounds back as say something about the next ones. */
const LOOK_BACK = 8;

/** Notes how far a run is. Gives the same object back where nothing is new. */
export function noteRound(times: RoundTimes | null, run: string, round: number, now: number): RoundTimes {
  if (times === null || times.run !== run) return { run, seen: [{ round, at: now }] };
  const last = times.seen.at(-1);
  if (last !== undefined && round <= last.round) return times;
  return { run, seen: [...times.seen, { round, at: now }].slice(-LOOK_BACK - 1) };
}

/**
 * How long the rest of a run takes if its rounds go on as they went: milliseconds, or null before a
 * round was seen to begin and end.
 */
export function timeLeft(times: RoundTimes | null, rounds: number, now: number): number | null {
  const first = times?.seen[0];
  const last = times?.seen.at(-1);
  if (first === undefined || last === undefined || last.round === first.round) return null;
  const each = (last.at - first.at) / (last.round - first.round);
  // The open round has been going on for a while already, but never counts as less than nothing.
  const rest = Math.max(0, each - (now - last.at));
  const left = rounds - last.round;
  return left <= 0 ? 0 : rest + each * (left - 1);
}
