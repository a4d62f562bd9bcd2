/** Rows that were left out for the same reason. */
export interface SkippedRows {
  readonly kind: 'missing' | 'not-a-number' | 'out-of-range' | 'unknown-class' | 'too-many-cells';
  /** Empty for rows with more cells than the table has columns. */
  readonly column: string;
  /** The cell of the first of them. Rows of an unknown class are grouped by label, so there all have this cell. */
  readonly value: string;
  /** At least 1. */
  readonly count: number;
  /** Line of the first of them in the table, from 1, the header included. */
  readonly firstRow: number;
}

/** Groups skipped rows by reason and column, and by label where the label is the reason. */
export class SkippedCounter {
  readonly #groups = new Map<string, { first: Omit<SkippedRows, 'count'>; count: number }>();

  add(row: Omit<SkippedRows, 'count'>, count = 1): void {
    const key = JSON.stringify([row.kind, row.column, row.kind === 'unknown-class' ? row.value : null]);
    const group = this.#groups.get(key);
    if (group === undefined) this.#groups.set(key, { first: row, count });
    else group.count += count;
  }

  groups(): SkippedRows[] {
    return [...this.#groups.values()]
      .map(({ first, count }) => ({ ...first, count }))
      .sort((a, b) => b.count - a.count);
  }
}
