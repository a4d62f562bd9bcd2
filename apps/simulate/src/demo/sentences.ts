import type { Firing, PeriodSummary, Round } from '@coppice/protocol';

/* The lines of the demo's terminal. */

const percent = (share: number) => `${(share * 100).toFixed(1)} %`;

/** A difference of two shares, in percentage points. */
const points = (difference: number) =>
  `${difference < 0 ? '−' : '+'}${Math.abs(difference * 100).toFixed(1)} points`;

/** `most`: characters of the full bar. */
function bar(share: number, most: number): string {
  return '█'.repeat(Math.round(Math.min(1, share) * most)).padEnd(most, '·');
}

/**
 * A committed round.
 *
 * @param accuracy of its model, 0–1.
 * @param of the digits that it is of, where they are not the usual ones.
 */
export function roundLine(
  { round, asked, accepted, startedAt, endedAt }: Round,
  accuracy: number,
  of = '',
): string {
  const seconds = (((endedAt ?? startedAt) - startedAt) / 1000).toFixed(1);
  return `  round ${String(round).padStart(3)}  ${bar(accuracy, 30)} ${percent(accuracy)}${of === '' ? '' : ` on ${of}`}   ${accepted} of ${asked} updates, ${seconds} s`;
}

/** A period that is over. */
export function periodLine({ period, reports, verdict }: PeriodSummary): string {
  const start = `  period ${String(period).padStart(3)}  ${String(reports).padStart(2)} reports`;
  if (verdict === null) return `${start}   too few to tell`;
  const { worst } = verdict.drift;
  const drift =
    worst === null
      ? 'nothing to test'
      : `drift ${worst.effect.toFixed(2)} (threshold ${worst.bound.toFixed(2)})`;
  const errors = verdict.errors === null ? '' : `   errors ${percent(verdict.errors.rate)}`;
  return `${start}   ${drift}${errors}${verdict.drift.alarm ? '   ALARM' : ''}`;
}

/** An alarm, with the distribution that changed most. Null without one. */
export function alarmLine({ verdict }: PeriodSummary): string | null {
  const drift = verdict?.drift;
  if (drift?.alarm !== true || drift.worst === null) return null;
  const { role, name, effect } = drift.worst;
  const where = {
    input: `of the input “${name}”`,
    prediction: 'of predictions',
    confidence: 'of confidences',
  }[role];
  const others = drift.alarms > 1 ? `; ${drift.alarms} of ${drift.tested} distributions changed` : '';
  return `Drift: the distribution ${where} differs from that at the release by ${effect.toFixed(2)} (population stability index${others}).`;
}

/** The fields of `GateReason` of `continuity` that are told. */
interface Check {
  readonly check: string;
  readonly outcome: string;
  readonly difference: number | null;
}
/** The fields of `CanaryReason` of `continuity` that are told. */
interface Look {
  readonly guard?: string;
  readonly difference?: number;
}

/** The lines of a firing that are new since it was told last; `before`: null where it was not. */
export function firingLines(firing: Firing, before: Firing | null): string[] {
  const { sequence, production, run, candidate, comparison, canary, outcome } = firing;
  const lines: string[] = [];
  if (before === null) {
    const causes = firing.causes.map((reason) => (reason as { readonly cause: string }).cause).join(', ');
    lines.push(`Retraining ${sequence} starts from ${production} (${causes}).`);
  }
  if (run !== null && (before?.run ?? null) === null) lines.push(`Run ${run} trains on the devices.`);
  if (comparison !== null && (before?.comparison ?? null) === null)
    lines.push(
      `Comparison: the devices measure ${candidate} and ${production} on examples that were held out.`,
    );
  const decision = comparison?.decision ?? null;
  if (comparison !== null && decision !== null && decision !== (before?.comparison?.decision ?? null)) {
    const checks = comparison.reasons as readonly unknown[] as readonly Check[];
    const on = (name: string) => {
      const difference = checks.find(({ check }) => check === name)?.difference ?? null;
      return difference === null ? 'unknown' : points(difference);
    };
    const failed = [...new Set(checks.filter((one) => one.outcome === 'failed').map(({ check }) => check))];
    const act = { accept: 'accepted', refuse: `refused (${failed.join(', ')})`, wait: 'repeated' }[decision];
    lines.push(
      `  accuracy ${on('recent')} on recent examples, ${on('older')} on older ones, ${comparison.participants} devices: ${act}.`,
    );
  }
  if (canary !== null && (before?.canary ?? null) === null)
    lines.push(`Canary: ${candidate} goes to half of the devices; the other half keeps ${production}.`);
  if (canary !== null && canary.decision !== null && (before?.canary?.decision ?? null) === null) {
    const look = (canary.reasons as readonly unknown[] as readonly Look[]).find(
      ({ guard }) => guard !== undefined,
    );
    const errors = look?.difference === undefined ? 'unknown' : points(look.difference);
    const { participants } = canary;
    lines.push(
      `  error ${errors} with the candidate, ${participants.canary} devices against ${participants.control}: ${canary.decision === 'promote' ? 'promoted' : 'rolled back'}.`,
    );
  }
  if (outcome !== null && (before?.outcome ?? null) === null)
    lines.push(
      outcome === 'released'
        ? `Released: ${candidate} is in production, and every open page predicts with it.`
        : `Retraining ${sequence} ended without a release (${outcome}); ${production} stays in production.`,
    );
  return lines;
}

/** The accuracy of a model on some digits, of one before it, or of both; 0–1, null where it is not known. */
export function accuracyLine(of: string, before: number | null, after: number | null): string {
  const now = after === null ? 'unknown' : percent(after);
  return before === null
    ? `Accuracy on ${of}: ${now}.`
    : `Accuracy on ${of}: ${percent(before)} before, ${now} now.`;
}
