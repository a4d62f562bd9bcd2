import type { Release } from '@coppice/protocol';

/**
 * Adds a page of moves to those that are known, newest first. Numbers have no gaps: where moves between the two are
 * missing, the page takes the place of the known ones.
 */
export function withPage(known: readonly Release[], page: readonly Release[]): readonly Release[] {
  const [first, last] = [page[0], page.at(-1)];
  if (first === undefined || last === undefined) return known;
  const newer = known.filter(({ sequence }) => sequence > first.sequence);
  const older = known.filter(({ sequence }) => sequence < last.sequence);
  const gap = (above: Release | undefined, below: Release | undefined) =>
    above !== undefined && below !== undefined && above.sequence !== below.sequence + 1;
  return [...(gap(newer.at(-1), first) ? [] : newer), ...page, ...(gap(last, older[0]) ? [] : older)];
}
