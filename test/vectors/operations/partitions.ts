import { heterogeneity, labelShards, proportionalSplit, rowsByValue, sizesByWeight } from '@coppice/datasets';
import { type Case, type Json, member, type Operation, parameter, requireNumber } from '../case.ts';

function numbers(value: Json | undefined, name: string): number[] {
  if (!Array.isArray(value)) throw new Error(`${name} is not a list`);
  return value.map((one) => requireNumber(one, name));
}

function lists(value: Json | undefined, name: string): number[][] {
  if (!Array.isArray(value)) throw new Error(`${name} is not a list`);
  return value.map((one) => numbers(one, name));
}

function shards(one: Case) {
  const labels = numbers(member(one.inputs, 'labels'), 'labels');
  const parts = labelShards(labels, Uint32Array.from(labels.keys()), {
    each: parameter(one, 'shards_per_participant'),
    order: numbers(member(one.inputs, 'shard_order'), 'shard_order'),
  });
  const counts = parts.map((rows) => {
    const found: Record<string, number> = {};
    for (const row of rows) found[String(labels[row])] = (found[String(labels[row])] ?? 0) + 1;
    return found;
  });
  return { named: { indices: parts.map((rows) => [...rows]), label_counts: counts } };
}

function proportions({ inputs }: Case) {
  const labels = numbers(member(inputs, 'labels'), 'labels');
  const order = lists(member(inputs, 'order'), 'order');
  const parts = proportionalSplit(order, lists(member(inputs, 'proportions'), 'proportions'));
  return {
    named: {
      indices: parts.map((rows) => rows.toSorted((a, b) => a - b)),
      label_counts: parts.map((rows) =>
        order.map((_, label) => rows.filter((row) => labels[row] === label).length),
      ),
    },
  };
}

function naturalIds({ inputs }: Case) {
  const ids = member(inputs, 'ids');
  if (!Array.isArray(ids)) throw new Error('ids is not a list');
  const { names, rows } = rowsByValue(ids.map(String));
  return { named: { participants: names, indices: rows } };
}

function spreadOf({ inputs }: Case) {
  const found = heterogeneity(lists(member(inputs, 'counts'), 'counts'));
  const { averages, sizes } = found;
  return {
    precision: 'float64' as const,
    named: {
      global_distribution: [...found.globalDistribution],
      per_participant: found.perParticipant.map((one) =>
        one === null
          ? null
          : {
              hellinger: one.hellinger,
              kl: one.kl,
              js_distance: one.jsDistance,
              total_variation: one.totalVariation,
              emd_categorical: one.totalVariation,
              emd_ordinal: one.emdOrdinal,
              l1: 2 * one.totalVariation,
              entropy: one.entropy,
              classes_present: one.classesPresent,
            },
      ),
      mean_hellinger: averages.hellinger.mean,
      weighted_hellinger: averages.hellinger.weighted,
      mean_kl: averages.kl.mean,
      weighted_kl: averages.kl.weighted,
      mean_js_distance: averages.jsDistance.mean,
      weighted_js_distance: averages.jsDistance.weighted,
      mean_total_variation: averages.totalVariation.mean,
      weighted_total_variation: averages.totalVariation.weighted,
      mean_emd_ordinal: averages.emdOrdinal.mean,
      weighted_emd_ordinal: averages.emdOrdinal.weighted,
      size_cv: sizes.cv,
      size_gini: sizes.gini,
      size_max_over_min: sizes.maxOverMin,
      pairwise_hellinger_mean: found.pairwiseHellinger,
    },
  };
}

export const partitions: { readonly [name: string]: Operation | string } = {
  pathological_shards: shards,
  proportional_split: proportions,
  quantity_skew_sizes: (one) => ({
    named: {
      sizes: sizesByWeight(
        numbers(member(one.inputs, 'weights'), 'weights'),
        parameter(one, 'total'),
        parameter(one, 'min_size'),
      ),
    },
  }),
  natural_id: naturalIds,
  heterogeneity: spreadOf,
};
