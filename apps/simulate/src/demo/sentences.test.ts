import type { Firing, PeriodSummary, Round } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { accuracyLine, alarmLine, firingLines, periodLine, roundLine } from './sentences.ts';

const quiet: PeriodSummary = {
  period: 7,
  reference: 'a'.repeat(64),
  release: 1,
  startedAt: 0,
  endedAt: 6000,
  reports: 20,
  verdict: {
    participants: 20,
    observations: 800,
    drift: {
      alarm: false,
      tested: 8,
      suppressed: 0,
      alarms: 0,
      worst: { role: 'prediction', name: '', effect: 0.04, interval: [0, 0.1], bound: 0.25 },
    },
    quality: { alarm: false, tested: 0, suppressed: 0, alarms: 0, worst: null },
    errors: { rate: 0.066, interval: [0.05, 0.08], participants: 20, warned: 0 },
  },
};
const verdict = quiet.verdict as NonNullable<PeriodSummary['verdict']>;
const alarm: PeriodSummary = {
  ...quiet,
  verdict: {
    ...verdict,
    drift: {
      ...verdict.drift,
      alarm: true,
      alarms: 6,
      worst: { role: 'input', name: 'feature 2', effect: 1.118, interval: [1, 1.2], bound: 0.25 },
    },
  },
};

describe('a period', () => {
  it('has its reports, its largest drift and its errors', () => {
    expect(periodLine(quiet)).toBe('  period   7  20 reports   drift 0.04 (threshold 0.25)   errors 6.6 %');
    expect(alarmLine(quiet)).toBeNull();
  });
  it('says where the largest drift is, and in how many distributions', () => {
    expect(periodLine(alarm)).toMatch(/ALARM$/);
    expect(alarmLine(alarm)).toBe(
      'Drift: the distribution of the input “feature 2” differs from that at the release by 1.12 (population stability index; 6 of 8 distributions changed).',
    );
  });
  it('says so where too few reported', () => {
    const few = { ...quiet, reports: 2, verdict: null };
    expect([periodLine(few), alarmLine(few)]).toEqual(['  period   7   2 reports   too few to tell', null]);
  });
});

const launched: Firing = {
  task: 'mnist-2nn',
  sequence: 1,
  at: 0,
  period: 8,
  causes: [{ cause: 'drift', periods: 1 }],
  policy: 1,
  production: 'mnist-2nn-1/30',
  state: 'training',
  run: 'mnist-2nn-2',
  candidate: null,
  comparison: null,
  canary: null,
  outcome: null,
  endedAt: null,
  release: null,
  spent: { rounds: null, bytes: null, deviceSeconds: null, epsilon: null },
};
const compared: Firing = {
  ...launched,
  state: 'canary',
  candidate: 'mnist-2nn-2/20',
  comparison: {
    startedAt: 0,
    candidate: 1,
    participants: 20,
    decision: 'accept',
    reasons: [
      { check: 'recent', outcome: 'passed', difference: 0.702, value: 0.6, bound: 0 },
      { check: 'older', outcome: 'passed', difference: -0.012, value: -0.05, bound: -0.2 },
    ],
  },
  canary: {
    sequence: 3,
    startedAt: 0,
    looks: [],
    participants: { canary: 0, control: 0 },
    decision: null,
    reasons: [],
  },
};
const released: Firing = {
  ...compared,
  state: 'ended',
  outcome: 'released',
  canary: {
    ...(compared.canary as NonNullable<Firing['canary']>),
    participants: { canary: 12, control: 8 },
    decision: 'promote',
    reasons: [{ guard: 'errors', outcome: 'better', difference: -0.742, z: -20, bound: 2 }],
  },
};

describe('a retraining', () => {
  it('is told from its cause to its release, each step once', () => {
    expect(firingLines(launched, null)).toEqual([
      'Retraining 1 starts from mnist-2nn-1/30 (drift).',
      'Run mnist-2nn-2 trains on the devices.',
    ]);
    expect(firingLines(launched, launched)).toEqual([]);
    expect(firingLines(compared, launched)).toEqual([
      'Comparison: the devices measure mnist-2nn-2/20 and mnist-2nn-1/30 on examples that were held out.',
      '  accuracy +70.2 points on recent examples, −1.2 points on older ones, 20 devices: accepted.',
      'Canary: mnist-2nn-2/20 goes to half of the devices; the other half keeps mnist-2nn-1/30.',
    ]);
    expect(firingLines(released, compared)).toEqual([
      '  error −74.2 points with the candidate, 12 devices against 8: promoted.',
      'Released: mnist-2nn-2/20 is in production, and every open page predicts with it.',
    ]);
    expect(firingLines(released, null)).toHaveLength(7);
  });
  it('names the checks that a refused candidate failed', () => {
    const refused: Firing = {
      ...compared,
      state: 'ended',
      canary: null,
      outcome: 'refused',
      comparison: {
        ...(compared.comparison as NonNullable<Firing['comparison']>),
        decision: 'refuse',
        reasons: [
          { check: 'recent', outcome: 'failed', difference: null, value: null, bound: 0 },
          { check: 'class', index: 1, outcome: 'failed', difference: -0.1, value: -0.01, bound: 0 },
          { check: 'class', index: 2, outcome: 'failed', difference: -0.1, value: -0.01, bound: 0 },
        ],
      },
    };
    expect(firingLines(refused, { ...compared, comparison: null, canary: null })).toEqual([
      'Comparison: the devices measure mnist-2nn-2/20 and mnist-2nn-1/30 on examples that were held out.',
      '  accuracy unknown on recent examples, unknown on older ones, 20 devices: refused (recent, class).',
      'Retraining 1 ended without a release (refused); mnist-2nn-1/30 stays in production.',
    ]);
  });
});

it('shows the accuracy of a round as a bar', () => {
  const round = { round: 3, asked: 20, accepted: 19, startedAt: 0, endedAt: 1240 } as Round;
  expect(roundLine(round, 0.5)).toBe(
    `  round   3  ${'█'.repeat(15)}${'·'.repeat(15)} 50.0 %   19 of 20 updates, 1.2 s`,
  );
  expect(roundLine(round, 0.5, 'turned digits')).toContain(' 50.0 % on turned digits   19 of 20');
});

it('has an accuracy before and after, or one of them', () => {
  expect(accuracyLine('turned digits', null, 0.152)).toBe('Accuracy on turned digits: 15.2 %.');
  expect(accuracyLine('turned digits', 0.152, 0.861)).toBe(
    'Accuracy on turned digits: 15.2 % before, 86.1 % now.',
  );
  expect(accuracyLine('turned digits', 0.152, null)).toBe(
    'Accuracy on turned digits: 15.2 % before, unknown now.',
  );
});
