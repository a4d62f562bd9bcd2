/* "Comparisons" of docs/protocol.md: the numbers of a comparison from the hits of both models. */

export interface RawExample {
  readonly slice: string;
  readonly label: number;
  readonly production: boolean;
  readonly candidate: boolean;
}

export function comparisonNumbers(examples: readonly RawExample[], classes: number, older: boolean) {
  const difference = ({ production, candidate }: RawExample) =>
    production === candidate ? 0 : candidate ? 1 : -1;
  const nearest = (value: number, bits: number) => Math.floor(value * 2 ** bits + 0.5) / 2 ** bits;
  const six = (of: string, sets: readonly (readonly RawExample[])[], full: number) => {
    const each = sets.map((set) => {
      const d = set.map(difference).reduce<number>((sum, one) => sum + one, 0);
      const n = set.length < full ? nearest(set.length / full, 20) : 1;
      const s = nearest(d / Math.max(set.length, full), 20);
      return [set.length > 0 ? 1 : 0, n, s, nearest(s * s, 24), nearest(s * n, 24), nearest(n * n, 24)];
    });
    const names = ['participants', 'sizes', 'sums', 'sum-squares', 'products', 'size-squares'];
    return Object.fromEntries(names.map((name, i) => [`${of}-${name}`, each.map((numbers) => numbers[i])]));
  };
  const of = (slice: string) => examples.filter((one) => one.slice === slice);
  const bins = (model: 'production' | 'candidate') => {
    const hits = examples.filter((one) => one[model]).length;
    const tenths = Number((10n * BigInt(hits)) / BigInt(examples.length));
    return Array.from({ length: 10 }, (_, bin) => (bin === Math.min(9, tenths) ? 1 : 0));
  };
  const recentSum = of('recent').reduce<number>((sum, one) => sum + difference(one), 0);
  return {
    participants: [1],
    ...six('recent', [of('recent')], 20),
    ...(older ? six('older', [of('older')], 20) : {}),
    better: [recentSum > 0 ? 1 : 0],
    worse: [recentSum < 0 ? 1 : 0],
    ...six(
      'class',
      Array.from({ length: classes }, (_, index) => examples.filter(({ label }) => label === index)),
      5,
    ),
    'production-accuracy': bins('production'),
    'candidate-accuracy': bins('candidate'),
  };
}
