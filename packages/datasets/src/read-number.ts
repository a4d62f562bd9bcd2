/** Reads a cell of a column of numbers, or the reason why it is none. Numbers that float32 cannot hold are none. */
export function readNumber(cell: string | undefined): number | 'missing' | 'not-a-number' {
  if (cell === undefined || cell === '') return 'missing';
  const value = Number(cell);
  // Beyond float32 a number would become infinite on its way into the model.
  return Number.isFinite(Math.fround(value)) ? value : 'not-a-number';
}
