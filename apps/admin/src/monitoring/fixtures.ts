import type { Firing, PeriodSummary } from '@coppice/protocol';

// Records of a watched task as the coordinator sends them, for tests.

/** @param verdict null: too few reports. `errors`: the mean error; left out: no outcomes. */
export function summaryFixture(
  period: number,
  verdict: { effect: number; alarm?: boolean; errors?: number } | null,
): PeriodSummary {
  const head = {
    period,
    reference: 'ab'.repeat(32),
    release: 1,
    startedAt: period * 86_400_000,
    endedAt: (period + 1) * 86_400_000,
    reports: verdict === null ? 1 : 20,
  };
  if (verdict === null) return { ...head, verdict: null };
  const { effect, alarm = false, errors } = verdict;
  return {
    ...head,
    verdict: {
      participants: 20,
      observations: 2000,
      drift: {
        alarm,
        tested: 4,
        suppressed: 1,
        alarms: alarm ? 1 : 0,
        worst: { role: 'input', name: 'age', effect, interval: [effect / 2, effect * 2], bound: 0.1 },
      },
      quality: { alarm: false, tested: 4, suppressed: 0, alarms: 0, worst: null },
      errors:
        errors === undefined
          ? null
          : { rate: errors, interval: [errors / 2, errors * 2], participants: 20, warned: 0 },
    },
  };
}

export function firingFixture(fields: Partial<Firing> = {}): Firing {
  return {
    task: 'iris',
    sequence: 1,
    at: 0,
    period: 3,
    causes: [{ cause: 'drift', periods: 2 }],
    policy: 1,
    production: 'iris-1/20',
    state: 'launching',
    run: null,
    candidate: null,
    comparison: null,
    canary: null,
    outcome: null,
    endedAt: null,
    release: null,
    spent: { rounds: null, bytes: null, deviceSeconds: null, epsilon: null },
    ...fields,
  };
}
