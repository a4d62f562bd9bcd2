import type { NumberFormat, Reading, ReadingChoices } from './choices.ts';
import { guessHead, type Head, numbersOf, signsOf } from './guess.ts';

/** The form of a table whose file has cells, not text. */
export interface FormRows {
  readonly head: Head;
  readonly formats: readonly NumberFormat[];
  readonly reading: Pick<Reading, 'header' | 'titleRows' | 'decimal' | 'thousands'>;
}

/** Guesses titles, header and number formats from the first rows of a sheet. @param numberOf their numbers in it, from 1. */
export function formOfRows(
  rows: readonly (readonly string[])[],
  numberOf: (row: number) => number,
  choices: ReadingChoices,
): FormRows {
  const isBlank = (row: number) => (rows[row] as readonly string[]).every((cell) => cell === '');
  const head = guessHead(rows, isBlank, 0, choices, numberOf);
  const body = rows.slice(head.firstRow);
  const { decimal, thousands, formats } = numbersOf(signsOf(body, head.names.length), true, choices);
  return { head, formats, reading: { header: head.header, titleRows: head.titleRows, decimal, thousands } };
}
