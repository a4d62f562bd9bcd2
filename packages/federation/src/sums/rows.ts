/**
 * Every participant's change of the model, to be read a slice at a time. Rows are in the order of participants' ids, so
 * that results do not depend on the order of arrival.
 */
export interface Rows {
  readonly count: number;
  readonly parameters: number;
  /** Weights of the contributions, in the rows' order. */
  readonly weights: readonly number[];
  /** Parameters `from` … `from + length − 1` of every row. The arrays are used again by the next call. */
  read(from: number, length: number): Promise<readonly Float32Array[]>;
}

/** Parameters of a slice: a thousand rows of it take 16 MB. */
export const ROW_SLICE = 4096;

/** Numbers of all rows together that are reduced without a pause: a few milliseconds of sorting. */
export const ROW_NUMBERS = 1 << 15;

/** Rows that are in memory, for small models and for tests. */
export function rowsInMemory(rows: readonly { values: Float32Array; weight: number }[]): Rows {
  return {
    count: rows.length,
    parameters: rows[0]?.values.length ?? 0,
    weights: rows.map(({ weight }) => weight),
    read: async (from, length) => rows.map(({ values }) => values.subarray(from, from + length)),
  };
}

/**
 * One number for each parameter, from all rows' numbers of it; slice by slice, with room for other work in between.
 *
 * @param reduce is given the rows' numbers of one parameter, in an array that it may reorder.
 * @param turn lets other work have its turn.
 */
export async function coordinateWise(
  rows: Rows,
  reduce: (values: Float64Array) => number,
  turn: () => Promise<void>,
): Promise<Float64Array> {
  const combined = new Float64Array(rows.parameters);
  const column = new Float64Array(rows.count);
  const columns = Math.max(1, Math.floor(ROW_NUMBERS / Math.max(1, rows.count)));
  for (let from = 0; from < rows.parameters; from += ROW_SLICE) {
    const length = Math.min(ROW_SLICE, rows.parameters - from);
    const slices = await rows.read(from, length);
    for (let i = 0; i < length; i++) {
      if (i > 0 && i % columns === 0) await turn();
      for (let row = 0; row < slices.length; row++) column[row] = (slices[row] as Float32Array)[i] as number;
      combined[from + i] = reduce(column);
    }
  }
  return combined;
}
