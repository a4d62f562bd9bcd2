/** Cells of a column of categories with one value that the task does not list. */
export interface UnlistedValues {
  readonly column: string;
  readonly value: string;
  /** At least 1. */
  readonly count: number;
  /** Line of the first of them in the table, from 1, the header included. */
  readonly firstRow: number;
}

/** Groups cells by column and value. */
export class UnlistedCounter {
  readonly #groups = new Map<string, { first: Omit<UnlistedValues, 'count'>; count: number }>();

  add(cell: Omit<UnlistedValues, 'count'>): void {
    const key = JSON.stringify([cell.column, cell.value]);
    const group = this.#groups.get(key);
    if (group === undefined) this.#groups.set(key, { first: cell, count: 1 });
    else group.count++;
  }

  /** The most frequent first. */
  groups(): UnlistedValues[] {
    return [...this.#groups.values()]
      .map(({ first, count }) => ({ ...first, count }))
      .sort((a, b) => b.count - a.count);
  }
}
