import { seededRandom, uniform } from '@coppice/ports';
import { describe, expect, it } from 'vitest';
import type { ClusterSums } from '../statistics/clustered-mean.ts';
import { decide } from './decide.ts';
import { type GateEvidence, type GateRule, parseGate } from './gate.ts';

const rule: GateRule = { kind: 'gate', alpha: 0.05, older: 0.02, worst: 0.1, fewest: 10 };

interface Drawn {
  readonly participants: number;
  readonly examples: number;
  /** Probabilities of examples that only the candidate, or only the model in production, has right. */
  readonly won: number;
  readonly lost: number;
}

/** Comparisons of participants, some of which have more examples that a candidate changes than others. */
function drawn({ participants, examples, won, lost }: Drawn, seed: string) {
  const random = seededRandom(seed);
  const sums = { clusters: 0, examples: 0, sum: 0, sumSquares: 0, products: 0, sizeSquares: 0 };
  const discordant = { won: 0, lost: 0 };
  for (let i = 0; i < participants; i++) {
    const own = 2 * uniform(random);
    let difference = 0;
    for (let j = 0; j < examples; j++) {
      const draw = uniform(random);
      if (draw < own * won) {
        difference++;
        discordant.won++;
      } else if (draw < own * (won + lost)) {
        difference--;
        discordant.lost++;
      }
    }
    sums.clusters++;
    sums.examples += examples;
    sums.sum += difference;
    sums.sumSquares += difference ** 2;
    sums.products += difference * examples;
    sums.sizeSquares += examples ** 2;
  }
  return { sums: sums as ClusterSums, discordant };
}

const same: Drawn = { participants: 60, examples: 50, won: 0.05, lost: 0.05 };
const better: Drawn = { ...same, won: 0.12, lost: 0.02 };
const worse: Drawn = { ...same, won: 0.02, lost: 0.12 };

function evidenceOf(recent: Drawn, more: Partial<GateEvidence> = {}, seed = 'gate'): GateEvidence {
  const { sums, discordant } = drawn(recent, `${seed} recent`);
  return {
    candidate: 1,
    recent: sums,
    discordant,
    older: drawn({ ...same, participants: 200 }, `${seed} older`).sums,
    classes: [],
    accuracies: { production: [], candidate: [] },
    ...more,
  };
}

describe('the gate', () => {
  it('accepts a candidate that is better on recent examples and no worse on older ones', () => {
    const { act, why } = decide(rule, evidenceOf(better));
    expect(act).toBe('accept');
    expect(why.map(({ check, outcome }) => [check, outcome])).toEqual([
      ['recent', 'passed'],
      ['discordant', 'passed'],
      ['older', 'passed'],
    ]);
  });

  it('refuses one that is worse, and lets one that is equal through as rarely as stated', () => {
    expect(decide(rule, evidenceOf(worse)).act).toBe('refuse');
    let accepted = 0;
    for (let i = 0; i < 200; i++)
      if (decide(rule, evidenceOf(same, {}, `equal ${i}`)).act === 'accept') accepted++;
    // At most 0.05 · 6 / π² of 200, with the upper end of its interval of 99.9 %.
    expect(accepted).toBeLessThanOrEqual(14);
  });

  it('asks more of each further candidate, so that all of a quarter share one error', () => {
    let sum = 0;
    const evidence = evidenceOf(better);
    for (let candidate = 1; candidate < 2000; candidate++) {
      const [, discordant] = decide(rule, { ...evidence, candidate }).why;
      sum += discordant?.bound ?? 0;
    }
    expect(sum).toBeLessThan(0.05);
    expect(sum).toBeGreaterThan(0.0499);
  });

  it('refuses one that is better on recent examples and has forgotten older ones, or a class', () => {
    const forgot = drawn({ ...worse, participants: 200 }, 'forgot').sums;
    expect(decide(rule, evidenceOf(better, { older: forgot }))).toMatchObject({
      act: 'refuse',
      why: [{}, {}, { check: 'older', outcome: 'failed' }],
    });
    const equal = drawn(same, 'class').sums;
    const { act, why } = decide(rule, evidenceOf(better, { classes: [equal, forgot, equal] }));
    expect(act).toBe('refuse');
    expect(why.slice(3)).toMatchObject([
      { check: 'class', index: 0, outcome: 'passed' },
      { check: 'class', index: 1, outcome: 'failed' },
      { check: 'class', index: 2, outcome: 'passed' },
    ]);
  });

  it('refuses one with which the worst tenth of participants is worse off', () => {
    const production = [0, 0, 0, 0, 0, 0, 0, 50, 30, 20];
    const slight = [0, 0, 0, 0, 0, 0, 5, 45, 20, 30];
    const heavy = [15, 0, 0, 0, 0, 0, 0, 5, 30, 50];
    expect(decide(rule, evidenceOf(better, { accuracies: { production, candidate: slight } })).act).toBe(
      'accept',
    );
    const { act, why } = decide(rule, evidenceOf(better, { accuracies: { production, candidate: heavy } }));
    expect(act).toBe('refuse');
    // A tenth of 100 participants: 10 of 50 in the bin from 0.7, and 10 of 15 in the bin from 0.
    expect(why.at(-1)?.difference).toBeCloseTo((2 / 3) * 0.1 - 0.72, 12);
  });

  it('asks of a better mean that single examples are won more often than lost as well', () => {
    const evidence = evidenceOf(better, { discordant: { won: 8, lost: 5 } });
    expect(decide(rule, evidence)).toMatchObject({
      act: 'refuse',
      why: [{ outcome: 'passed' }, { check: 'discordant', outcome: 'failed' }, {}],
    });
    expect(decide(rule, { ...evidence, discordant: { won: 5, lost: 30 } }).act).toBe('refuse');
    expect(decide(rule, { ...evidence, discordant: { won: 30, lost: 5 } }).act).toBe('accept');
  });

  it('asks nothing of older examples where nobody holds one out, and waits for nothing once a check failed', () => {
    const none = { clusters: 0, examples: 0, sum: 0, sumSquares: 0, products: 0, sizeSquares: 0 };
    const { act, why } = decide(rule, evidenceOf(better, { older: none }));
    expect([act, why.some(({ check }) => check === 'older')]).toEqual(['accept', false]);
    const few = drawn({ ...same, participants: 9 }, 'few').sums;
    expect(decide(rule, evidenceOf(better, { older: few })).act).toBe('wait');
    expect(decide(rule, evidenceOf(worse, { older: few })).act).toBe('refuse');
  });

  it('waits for participants, and asks for none of a rare class', () => {
    const few = drawn({ ...better, participants: 9 }, 'few');
    expect(decide(rule, { ...evidenceOf(better), recent: few.sums, discordant: few.discordant }).act).toBe(
      'wait',
    );
    expect(decide(rule, evidenceOf(better, { older: few.sums })).act).toBe('wait');
    const rare = decide(rule, evidenceOf(better, { classes: [few.sums] }));
    expect([rare.act, rare.why.at(-1)?.outcome]).toEqual(['accept', 'unknown']);
    const accuracies = { production: [1, 2], candidate: [2, 1] };
    expect(decide(rule, evidenceOf(better, { accuracies })).act).toBe('wait');
  });
});

describe('a gate rule', () => {
  it('is taken as it is', () => {
    expect(parseGate(JSON.parse(JSON.stringify(rule)))).toEqual({ rule, refusal: null });
  });

  it.each([
    [{ alpha: 0 }, 'rule-never'],
    [{ alpha: 0.5 }, 'rule-always'],
    [{ older: 1 }, 'rule-always'],
    [{ older: 0 }, 'rule-never'],
    [{ worst: 1 }, 'rule-always'],
    [{ worst: -1 }, 'rule-never'],
    [{ fewest: 1 }, 'rule-invalid'],
    [{ kind: 'canary' }, 'rule-invalid'],
  ])('%o is refused as %s', (more, name) => {
    expect(parseGate({ ...rule, ...more }).refusal?.name).toBe(name);
  });
});
