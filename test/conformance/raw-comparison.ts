/* "Comparisons" of docs/protocol.md: the numbers of a comparison from the hits of both models. */

export interface RawExample {
  readonly slice: string;
  readonly label: number;
  readonly production: boolean;
  readonly candidate: boolean;
}

export function comparisonNumbers(examples: readonly RawExample[], classes: number) {
  const difference = ({ production, candidate }: RawExample) =>
    production === candidate ? 0 : candidate ? 1 : -1;
  const five = (of: string, sets: readonly (readonly RawExample[])[]) => {
    const each = sets.map((set) => {
      const s = set.map(difference).reduce<number>((sum, one) => sum + one, 0);
      const mean = set.length === 0 ? 0 : Math.round((s / set.length) * 2 ** 20) / 2 ** 20;
      const square = Math.round(mean ** 2 * 2 ** 24) / 2 ** 24;
      return [set.length > 0 ? 1 : 0, set.length, s, mean, square];
    });
    const names = ['participants', 'examples', 'differences', 'means', 'squares'];
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
    ...five('recent', [of('recent')]),
    ...five('older', [of('older')]),
    better: [recentSum > 0 ? 1 : 0],
    worse: [recentSum < 0 ? 1 : 0],
    ...five(
      'class',
      Array.from({ length: classes }, (_, index) => examples.filter(({ label }) => label === index)),
    ),
    'production-accuracy': bins('production'),
    'candidate-accuracy': bins('candidate'),
  };
}
