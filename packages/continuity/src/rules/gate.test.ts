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
      if (draw < own * won) difference++;
      else if (draw < own * (won + lost)) difference--;
    }
    if (difference > 0) discordant.won++;
    if (difference < 0) discordant.lost++;
    const mean = difference / examples;
    sums.clusters++;
    sums.examples++;
    sums.sum += mean;
    sums.sumSquares += mean ** 2;
    sums.products += mean;
    sums.sizeSquares++;
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
    participants: recent.participants,
    noise: 0,
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

  it('asks nothing of older examples where the rule leaves them out', () => {
    const forgot = drawn({ ...worse, participants: 200 }, 'forgot').sums;
    const recentAlone = { ...rule, older: null };
    for (const older of [forgot, null]) {
      const { act, why } = decide(recentAlone, evidenceOf(better, { older }));
      expect([act, why.map(({ check }) => check)]).toEqual(['accept', ['recent', 'discordant']]);
    }
    expect(parseGate(recentAlone)).toEqual({ rule: recentAlone, refusal: null });
  });

  it('refuses one with which the worst tenth of participants is worse off', () => {
    const production = [0, 0, 0, 0, 0, 0, 0, 50, 30, 20];
    const slight = [0, 0, 0, 0, 0, 0, 5, 45, 20, 30];
    const heavy = [15, 0, 0, 0, 0, 0, 0, 5, 30, 50];
    const of = (candidate: number[]) =>
      decide(rule, evidenceOf(better, { participants: 100, accuracies: { production, candidate } }));
    expect(of(slight).act).toBe('accept');
    const { act, why } = of(heavy);
    expect(act).toBe('refuse');
    // A tenth of 100 participants: 10 of 50 in the bin from 0.7, and 10 of 15 in the bin from 0.
    expect(why.at(-1)?.difference).toBeCloseTo((2 / 3) * 0.1 - 0.72, 12);
  });

  it('asks of a better mean that more participants are better off as well', () => {
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

  it.each([1, -1])(
    'is decided by no single participant of fifty, though it says %i of all its examples',
    (lie) => {
      const with1 = (of: Drawn, seed: string) => {
        const { sums, discordant } = drawn({ ...of, participants: 49 }, seed);
        return {
          sums: {
            clusters: 50,
            examples: 50,
            sum: sums.sum + lie,
            sumSquares: sums.sumSquares + 1,
            products: sums.products + lie,
            sizeSquares: 50,
          },
          discordant: {
            won: discordant.won + (lie > 0 ? 1 : 0),
            lost: discordant.lost + (lie < 0 ? 1 : 0),
          },
        };
      };
      const decided = (of: Drawn) => {
        const { sums: recent, discordant } = with1(of, 'recent');
        const { sums: older } = with1(same, 'older');
        return decide({ ...rule, older: 0.1 }, evidenceOf(of, { recent, discordant, older })).act;
      };
      expect([decided(better), decided(same), decided(worse)]).toEqual(['accept', 'refuse', 'refuse']);
    },
  );

  it('waits for participants, and asks for none of a rare class', () => {
    const few = drawn({ ...better, participants: 9 }, 'few');
    expect(decide(rule, { ...evidenceOf(better), recent: few.sums, discordant: few.discordant }).act).toBe(
      'wait',
    );
    expect(decide(rule, evidenceOf(better, { older: few.sums })).act).toBe('wait');
    const rare = decide(rule, evidenceOf(better, { classes: [few.sums] }));
    expect([rare.act, rare.why.at(-1)?.outcome]).toEqual(['accept', 'unknown']);
    const accuracies = { production: [1, 2], candidate: [2, 1] };
    expect(decide(rule, evidenceOf(better, { accuracies, participants: 3 })).act).toBe('wait');
  });
});

describe('the gate on sums with noise', () => {
  const DEVIATION = 20;
  const noisyRule = { ...rule, worst: 0.2 };
  /** By Box and Muller. */
  const normals = (random: () => number) => () =>
    DEVIATION * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

  /** Participants that each win or lose by one of twenty examples, with noise on every number. */
  function noisy(counts: { participants: number; won: number; lost: number }, seed: string): GateEvidence {
    const source = seededRandom(seed);
    const random = () => uniform(source);
    const normal = normals(random);
    const draw = () => {
      let [won, lost] = [0, 0];
      for (let i = 0; i < counts.participants; i++) {
        const one = random();
        if (one < counts.won) won++;
        else if (one < counts.won + counts.lost) lost++;
      }
      return { won, lost };
    };
    const sums = ({ won, lost }: { won: number; lost: number }): ClusterSums => ({
      clusters: counts.participants + normal(),
      examples: counts.participants + normal(),
      sum: (won - lost) / 4 + normal(),
      sumSquares: (won + lost) / 16 + normal(),
      products: (won - lost) / 4 + normal(),
      sizeSquares: counts.participants + normal(),
    });
    const recent = draw();
    const share = [0, 0, 0, 0, 0, 0, 0.08, 0.3, 0.4, 0.22].map((one) => one * counts.participants);
    return {
      candidate: 1,
      participants: counts.participants,
      noise: DEVIATION ** 2,
      recent: sums(recent),
      discordant: { won: recent.won + normal(), lost: recent.lost + normal() },
      older: sums({ won: 0, lost: 0 }),
      classes: [sums(draw()), sums(draw())],
      accuracies: {
        production: share.map((one) => one + normal()),
        candidate: share.map((one) => one + normal()),
      },
    };
  }
  const acceptedOf = (counts: Parameters<typeof noisy>[0], times: number) =>
    Array.from({ length: times }, (_, i) => decide(noisyRule, noisy(counts, `noisy ${i}`)).act).filter(
      (act) => act === 'accept',
    ).length;

  it('lets an equal candidate through no more often than without it, and takes one that is better', () => {
    // At most 0.05 · 6 / π² of 300, with the upper end of its interval of 99.9 %.
    expect(acceptedOf({ participants: 3000, won: 0.3, lost: 0.3 }, 300)).toBeLessThanOrEqual(20);
    expect(acceptedOf({ participants: 3000, won: 0.5, lost: 0.1 }, 50)).toBeGreaterThanOrEqual(45);
  });

  it('has intervals as wide as the noise makes them', () => {
    const counts = { participants: 2000, won: 0.3, lost: 0.3 };
    const lower = Array.from({ length: 400 }, (_, i) => {
      const [recent] = decide(noisyRule, noisy(counts, `width ${i}`)).why;
      return recent?.value as number;
    });
    // Each of error 0.05 · 6 / π²: of 400, from 3 to 23 with 99.9 %.
    const above = lower.filter((value) => value > 0).length;
    expect(above).toBeGreaterThanOrEqual(3);
    expect(above).toBeLessThanOrEqual(23);
  });

  it('concludes nothing where so few take part that noise hides them, and of no class that it hides', () => {
    const few = decide(noisyRule, noisy({ participants: 60, won: 0.9, lost: 0 }, 'few'));
    expect(few.act).not.toBe('accept');
    expect(few.why.filter(({ check }) => check === 'recent')).toMatchObject([{ outcome: 'unknown' }]);
    const enough = noisy({ participants: 3000, won: 0.5, lost: 0.1 }, 'enough');
    const hidden = noisy({ participants: 60, won: 0, lost: 0.9 }, 'hidden').recent;
    const { act, why } = decide(noisyRule, { ...enough, classes: [hidden] });
    expect([act, why.find(({ check }) => check === 'class')?.outcome]).toEqual(['accept', 'unknown']);
    // Older examples that noise hides are not known to be none.
    expect(decide(noisyRule, { ...enough, older: hidden }).act).toBe('wait');
  });

  it('holds the worst tenth against what noise may have made of it', () => {
    const enough = noisy({ participants: 3000, won: 0.5, lost: 0.1 }, 'tenth');
    const shares = {
      production: [0, 0, 0, 0, 0, 0, 240, 900, 1200, 660],
      candidate: [0, 0, 0, 0, 0, 0, 330, 1100, 1000, 570],
    };
    const [exact, unsure] = [0, DEVIATION ** 2].map((noise) =>
      decide(noisyRule, { ...enough, accuracies: shares, noise }).why.at(-1),
    );
    expect(exact?.value).toBe(exact?.difference);
    expect(unsure?.difference).toBe(exact?.difference);
    // By hand: 0.7 − 30 / 330 / 10 and 0.7 + 60 / 900 / 10 without noise.
    expect(exact?.difference).toBeCloseTo(0.7 - 3 / 330 - (0.7 + 6 / 900), 12);
    expect(unsure?.value).toBeLessThan((unsure?.difference as number) - 0.01);
    const all = { ...shares, candidate: [600, 0, 0, 0, 0, 0, 0, 800, 900, 700] };
    expect(decide(noisyRule, { ...enough, accuracies: all }).act).toBe('refuse');
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
