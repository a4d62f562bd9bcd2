import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from './decide.ts';
import {
  type Cost,
  type PeriodEvidence,
  parseTrigger,
  type TriggerEvidence,
  type TriggerRule,
} from './trigger.ts';

const free: Cost = { rounds: null, bytes: null, deviceSeconds: null, epsilon: null };
const cost: Cost = { ...free, rounds: 10, bytes: 1e6 };
const rule: TriggerRule = {
  kind: 'trigger',
  drift: { raise: 2, clear: 2 },
  schedule: null,
  newExamples: null,
  floor: null,
  coolDown: 3,
  budget: { periods: 30, ...free, rounds: 40 },
};

/** Verdicts of the periods up to this one: `d` drift, `q` a fault of the data, `.` neither. */
function verdicts(text: string, last: number): PeriodEvidence[] {
  return [...text].map((one, i) => ({
    period: last - text.length + 1 + i,
    drift: one === 'd',
    quality: one === 'q',
    errors: null,
  }));
}

const quiet: TriggerEvidence = {
  period: 20,
  newest: 20,
  verdicts: verdicts('.....', 20),
  now: Date.parse('2026-03-01T12:00Z'),
  lookedAt: Date.parse('2026-03-01T11:00Z'),
  newExamples: 100,
  byHand: false,
  running: false,
  last: null,
  spent: { ...free, rounds: 0 },
  cost,
};
const last = { period: 10, released: true, failures: 0, refused: false };
const decided = (more: Partial<TriggerEvidence>, ruled: Partial<TriggerRule> = {}) =>
  decide({ ...rule, ...ruled }, { ...quiet, ...more });
const drifting = { verdicts: verdicts('..dd', 20) };

describe('a trigger', () => {
  it('waits while nothing happens, and launches for drift that lasts', () => {
    expect(decided({})).toEqual({ act: 'wait', why: [] });
    expect(decided({ verdicts: verdicts('d.d', 20) }).act).toBe('wait');
    expect(decided(drifting)).toEqual({ act: 'launch', why: [{ cause: 'drift', periods: 2 }] });
    const gap = [...verdicts('d', 18), ...verdicts('d', 20)];
    expect(decided({ verdicts: gap }).act).toBe('wait');
    // A drift of the past, since which too few reports came.
    expect(decided({ ...drifting, newest: 21 }).act).toBe('wait');
  });

  it('launches once for a drift that a release answered, and again after quiet periods', () => {
    expect(decided({ ...drifting, verdicts: verdicts('dddddddddd', 20), last }).act).toBe('wait');
    expect(decided({ verdicts: verdicts('dd.dd.dddd', 20), last }).act).toBe('wait');
    expect(decided({ verdicts: verdicts('dd..dd.ddd', 20), last }).act).toBe('launch');
    // Without a release the drift is still there.
    expect(decided({ ...drifting, last: { ...last, released: false, failures: 1 } }).act).toBe('launch');
  });

  it('launches by schedule, for new examples, below the performance floor, and by hand', () => {
    expect(decided({}, { schedule: '30 11 * * *' }).why).toEqual([
      { cause: 'schedule', due: Date.parse('2026-03-01T11:30Z') },
    ]);
    expect(decided({}, { schedule: '30 12 * * *' }).act).toBe('wait');
    expect(decided({}, { newExamples: 100 }).why).toEqual([{ cause: 'new-examples', examples: 100 }]);
    expect(decided({}, { newExamples: 101 }).act).toBe('wait');
    const erring = (low: number) =>
      verdicts('..', 20).map((one) => ({ ...one, errors: [low, 0.9] as const }));
    const floor = { error: 0.3, raise: 2 };
    expect(decided({ verdicts: erring(0.31) }, { floor }).why).toEqual([{ cause: 'floor', error: 0.31 }]);
    expect(decided({ verdicts: erring(0.29) }, { floor }).act).toBe('wait');
    expect(decided({ byHand: true })).toEqual({ act: 'launch', why: [{ cause: 'by-hand' }] });
  });

  it('never launches while another launch runs, with broken data, without budget, or after too short a time', () => {
    const hindered = (more: Partial<TriggerEvidence>) => decided({ ...drifting, ...more }).why.slice(1);
    expect(hindered({ running: true })).toEqual([{ hindrance: 'running' }]);
    const broken = verdicts('dd', 20).map((one) => ({ ...one, quality: true }));
    expect(hindered({ verdicts: broken })).toEqual([{ hindrance: 'data-quality', period: 20 }]);
    expect(hindered({ spent: { ...free, rounds: 31 } })).toEqual([
      { hindrance: 'budget', of: 'rounds', left: 9, cost: 10 },
    ]);
    expect(hindered({ spent: { ...free, rounds: 30 } })).toEqual([]);
    const failed = { period: 10, released: false, failures: 2, refused: false };
    expect(hindered({ last: failed })).toEqual([{ hindrance: 'cool-down', until: 22 }]);
    expect(hindered({ last: { ...failed, period: 8 } })).toEqual([]);
    expect(hindered({ last: { ...failed, period: 8, refused: true }, newExamples: 0 })).toEqual([
      { hindrance: 'no-new-data' },
    ]);
  });

  it('by hand ignores cool-down and data quality, and neither the budget nor another launch', () => {
    const byHand = { byHand: true, last: { ...last, period: 20 }, verdicts: verdicts('q', 20) };
    expect(decided(byHand).act).toBe('launch');
    expect(decided({ ...byHand, running: true }).act).toBe('wait');
    expect(decided({ ...byHand, spent: { ...free, rounds: 40 } }).act).toBe('wait');
  });

  it('does not run away: whatever is seen, launches keep the cool-down and the budget', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()), { minLength: 60, maxLength: 60 }),
        (course) => {
          const seen: PeriodEvidence[] = [];
          const launches: number[] = [];
          let failures = 0;
          let before: TriggerEvidence['last'] = null;
          for (const [period, [drift, quality, released]] of course.entries()) {
            seen.push({ period, drift, quality, errors: null });
            const inBudget = launches.filter((at) => at > period - rule.budget.periods);
            const spent = { ...free, rounds: 10 * inBudget.length };
            const { act } = decided({ period, verdicts: seen, last: before, spent }, { newExamples: 1 });
            if (act !== 'launch') continue;
            expect(quality).toBe(false);
            expect(inBudget.length).toBeLessThan(4);
            if (launches.length > 0) expect(period - (launches.at(-1) as number)).toBeGreaterThanOrEqual(3);
            launches.push(period);
            failures = released ? 0 : failures + 1;
            before = { period, released, failures, refused: false };
          }
        },
      ),
    );
  });
});

describe('a trigger rule', () => {
  const refusal = (more: object, of: Cost = cost) => {
    const { refusal: found } = parseTrigger({ ...rule, ...more }, of);
    return found === null ? null : `${found.name} ${found.field}`;
  };

  it('is taken as it is', () => {
    expect(parseTrigger(JSON.parse(JSON.stringify(rule)), cost)).toEqual({ rule, refusal: null });
    expect(refusal({ schedule: '0 3 * * 1', floor: { error: 0.2, raise: 1 } })).toBeNull();
  });

  it.each([
    [{ drift: null }, 'rule-never drift'],
    [{ schedule: '0 0 30 2 *' }, 'rule-never schedule'],
    [{ schedule: '* * * * *' }, 'rule-always schedule'],
    [{ schedule: '*/5 3 * * *' }, 'rule-always schedule'],
    [{ schedule: 'daily' }, 'rule-invalid schedule'],
    [{ floor: { error: 1, raise: 1 } }, 'rule-never floor.error'],
    [{ floor: { error: 0, raise: 1 } }, 'rule-always floor.error'],
    [{ budget: { ...rule.budget, rounds: 9 } }, 'rule-never budget.rounds'],
    [{ budget: { ...rule.budget, bytes: 0 } }, 'rule-never budget.bytes'],
    [{ newExamples: 0 }, 'rule-invalid newExamples'],
    [{ coolDown: 0 }, 'rule-invalid coolDown'],
    [{ drift: { raise: 0, clear: 1 } }, 'rule-invalid drift.raise'],
    [{ other: 1 }, 'rule-invalid '],
  ])('%o is refused as %s', (more, name) => {
    expect(refusal(more)).toBe(name);
  });
});
