/**
 * Picks at most `limit` of the items, evenly spaced, in order, always with the first and the last.
 *
 * @param limit 2 or more.
 */
export function thin<T>(items: readonly T[], limit: number): readonly T[] {
  if (items.length <= limit) return items;
  const step = (items.length - 1) / (limit - 1);
  return Array.from({ length: limit }, (_, index) => items[Math.round(index * step)] as T);
}
