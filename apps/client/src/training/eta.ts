/** Times at which a run's rounds were committed, as far as this page observed. */
export interface RoundTimes {
  readonly run: string;
  /** Committed rounds with times in milliseconds on this device's clock; oldest first. */
  readonly seen: readonly { readonly round: number; readonly at: number }[];
}

/** Rounds in the estimate: older ones tell little of the next. */
const LOOK_BACK = 8;

/** Records a run's progress. Returns the same object where nothing is new. */
export function noteRound(times: RoundTimes | null, run: string, round: number, now: number): RoundTimes {
  if (times === null || times.run !== run) return { run, seen: [{ round, at: now }] };
  const last = times.seen.at(-1);
  if (last !== undefined && round <= last.round) return times;
  return { run, seen: [...times.seen, { round, at: now }].slice(-LOOK_BACK - 1) };
}

/** Estimates the rest of a run at the pace of its rounds so far: milliseconds, or null before a whole round was observed. */
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
