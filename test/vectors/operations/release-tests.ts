import {
  type ClusterSums,
  clusteredLower,
  clusteredMean,
  clusteredTest,
  mcnemar,
  obrienFlemingSpending,
  spendingBounds,
} from '@coppice/continuity';
import {
  type Case,
  type Json,
  member,
  type Operation,
  parameter,
  requireNumber,
  Unsupported,
} from '../case.ts';

function discordant(one: Case) {
  const { exact, mid, chiSquare, corrected } = mcnemar({
    lost: parameter(one, 'b'),
    won: parameter(one, 'c'),
  });
  return {
    named: {
      exact_p: exact,
      mid_p: mid,
      chi2: chiSquare.statistic,
      chi2_p: chiSquare.p,
      chi2_cc: corrected.statistic,
      chi2_cc_p: corrected.p,
    },
    precision: 'float64' as const,
  };
}

function listOf(value: Json | undefined, name: string): readonly Json[] {
  if (!Array.isArray(value)) throw new Error(`the case gives no ${name}`);
  return value;
}

/** Sums of examples by cluster, as participants send them. */
function clusterSums(values: readonly number[], clusters: readonly Json[]): ClusterSums {
  const groups = Map.groupBy(values.keys(), (i) => JSON.stringify(clusters[i]));
  const each = [...groups.values()].map((members) => ({
    n: members.length,
    s: members.reduce((sum, i) => sum + (values[i] as number), 0),
  }));
  const total = (of: (one: { n: number; s: number }) => number) =>
    each.reduce((sum, one) => sum + of(one), 0);
  return {
    clusters: each.length,
    examples: total(({ n }) => n),
    sum: total(({ s }) => s),
    sumSquares: total(({ s }) => s * s),
    products: total(({ n, s }) => n * s),
    sizeSquares: total(({ n }) => n * n),
  };
}

function clusterRobust({ inputs }: Case) {
  const values = listOf(member(inputs, 'd'), 'd').map((one) => requireNumber(one, 'a difference'));
  const mean = clusteredMean(clusterSums(values, listOf(member(inputs, 'cluster'), 'cluster')));
  if (mean === null) throw new Unsupported('of one cluster nothing is told');
  const { t, p, interval } = clusteredTest(mean, 0.95);
  return {
    named: {
      mean: mean.mean,
      se_cr0: mean.cr0,
      se_cr1: mean.cr1,
      t_cr1: t,
      p_two_sided: p,
      ci95: [...interval],
    },
    precision: 'float64' as const,
  };
}

/** Pairs as clusters of one example each. */
function nonInferiority(one: Case) {
  if (one.params.kind !== 'paired_mean') throw new Unsupported('models are compared on the same examples');
  const [a, b] = [listOf(member(one.inputs, 'a'), 'a'), listOf(member(one.inputs, 'b'), 'b')];
  const values = a.map((x, i) => requireNumber(x, 'a') - requireNumber(b[i], 'b'));
  const mean = clusteredMean(clusterSums(values, [...values.keys()]));
  if (mean === null) throw new Unsupported('of one pair nothing is told');
  const lower = clusteredLower(mean, parameter(one, 'alpha'));
  return {
    named: { estimate: mean.mean, lower, decision: lower > -parameter(one, 'margin') },
    precision: 'float64' as const,
  };
}

function spending(one: Case) {
  const fractions = listOf(one.params.information_fractions, 'information_fractions').map((t) =>
    requireNumber(t, 'a fraction'),
  );
  const cumulative = obrienFlemingSpending(fractions, parameter(one, 'alpha'));
  return {
    named: { cumulative_alpha: cumulative, z_boundaries: spendingBounds(fractions, cumulative) },
    precision: 'float64' as const,
  };
}

const ONE_TEST = 'models are compared by McNemar’s test and by differences clustered by participant';
const ONE_SEQUENCE =
  'a canary is tested in groups, by an error-spending function of O’Brien and Fleming’s kind';

export const releaseTests: { readonly [name: string]: Operation | string } = {
  mcnemar: discordant,
  cluster_robust_mean_difference: clusterRobust,
  non_inferiority: nonInferiority,
  alpha_spending_obf: spending,
  group_sequential_boundary: ONE_SEQUENCE,
  msprt_normal: ONE_SEQUENCE,
  sprt_bernoulli: ONE_SEQUENCE,
  paired_t: ONE_TEST,
  wilcoxon_signed_rank: ONE_TEST,
  sign_test: ONE_TEST,
  tost_paired: ONE_TEST,
  sample_size: 'rules state no sample sizes',
};
