/**
 * Cuts rows into consecutive parts whose sizes differ by at most one; the first `n mod parts` have one more (NumPy's
 * `array_split`).
 */
export function evenParts(rows: Uint32Array, parts: number): Uint32Array[] {
  const least = Math.floor(rows.length / parts);
  const longer = rows.length % parts;
  const at = (part: number) => part * least + Math.min(part, longer);
  return Array.from({ length: parts }, (_, part) => rows.slice(at(part), at(part + 1)));
}

/**
 * Shards of the rows in label order, `each` for every participant (McMahan et al., 2017).
 *
 * @param rows row numbers; among equal labels they stay in this order.
 * @param order the shards in the order in which participants take them, a permutation of their numbers.
 */
export function labelShards(
  labels: ArrayLike<number>,
  rows: Uint32Array,
  { each, order }: { readonly each: number; readonly order: readonly number[] },
): Uint32Array[] {
  const sorted = rows.toSorted((a, b) => (labels[a] as number) - (labels[b] as number));
  const shards = evenParts(sorted, order.length);
  return Array.from({ length: order.length / each }, (_, participant) =>
    concat(
      order.slice(participant * each, (participant + 1) * each).map((shard) => shards[shard] as Uint32Array),
    ),
  );
}

/**
 * Spreads groups of rows over participants by given proportions, as label-skew partitioners do (Li et al., "Federated
 * Learning on Non-IID Data Silos", 2022). The last participant gets the rest of each group.
 *
 * @param groups the rows of each group, in the order in which they are handed out.
 * @param proportions group × participant; each adds up to 1.
 * @param toWhole rounds a cut point.
 */
export function proportionalSplit(
  groups: readonly ArrayLike<number>[],
  proportions: readonly (readonly number[])[],
  toWhole: (cut: number) => number = Math.floor,
): number[][] {
  const participants = proportions[0]?.length ?? 0;
  const parts: number[][] = Array.from({ length: participants }, () => []);
  for (const [group, rows] of groups.entries()) {
    let from = 0;
    let upTo = 0;
    for (const [participant, share] of (proportions[group] as readonly number[]).entries()) {
      upTo += share;
      const last = participant === participants - 1;
      const to = last ? rows.length : Math.min(rows.length, toWhole(upTo * rows.length));
      for (let i = from; i < to; i++) parts[participant]?.push(rows[i] as number);
      from = Math.max(from, to);
    }
  }
  return parts;
}

/**
 * Whole sizes in proportion to weights, by the largest remainder (Hamilton); among equal fractions the first gets the
 * item.
 *
 * @param total the sum of the sizes; at least `least` for each weight.
 * @param least the smallest size.
 */
export function sizesByWeight(weights: readonly number[], total: number, least: number): number[] {
  const free = total - weights.length * least;
  const sum = weights.reduce((all, weight) => all + weight, 0);
  const quotas = weights.map((weight) => (free * weight) / sum);
  const sizes = quotas.map((quota) => Math.floor(quota));
  const rest = free - sizes.reduce((all, size) => all + size, 0);
  const byFraction = [...quotas.keys()].sort((a, b) => fraction(quotas, b) - fraction(quotas, a) || a - b);
  for (const index of byFraction.slice(0, rest)) sizes[index] = (sizes[index] as number) + 1;
  return sizes.map((size) => size + least);
}

function fraction(quotas: readonly number[], index: number): number {
  const quota = quotas[index] as number;
  return quota - Math.floor(quota);
}

/** Rows by the value of a column, values in the order of their first row. */
export function rowsByValue(values: readonly string[]): { names: string[]; rows: number[][] } {
  const found = new Map<string, number[]>();
  for (const [row, value] of values.entries()) {
    const rows = found.get(value);
    if (rows) rows.push(row);
    else found.set(value, [row]);
  }
  return { names: [...found.keys()], rows: [...found.values()] };
}

/**
 * The quantile group of each value, from 0: the values in order, cut evenly. Equal values are in one group, so that some
 * groups may be empty.
 */
export function quantileGroups(values: ArrayLike<number>, groups: number): Uint32Array {
  const order = Uint32Array.from({ length: values.length }, (_, row) => row).sort(
    (a, b) => (values[a] as number) - (values[b] as number) || a - b,
  );
  const group = new Uint32Array(values.length);
  let own = 0;
  for (const [place, row] of order.entries()) {
    const before = place === 0 ? undefined : values[order[place - 1] as number];
    if (values[row] !== before) own = Math.floor((place * groups) / order.length);
    group[row] = own;
  }
  return group;
}

export function concat(parts: readonly Uint32Array[]): Uint32Array {
  const all = new Uint32Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
