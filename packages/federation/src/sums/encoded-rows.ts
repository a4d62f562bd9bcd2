import { type Codec, CoppiceError, type Section, sectionBytes, sectionLayout } from '@coppice/protocol';
import { payloadValues } from '../codecs/decode.ts';
import { payloadRanges } from '../codecs/ranges.ts';
import { workbench } from '../codecs/workbench.ts';
import type { NormBound } from '../pipeline/norm-bound.ts';
import { ROW_SLICE, type Rows } from './rows.ts';
import { shorten } from './shortened.ts';

/** A contribution stored elsewhere, as bytes. */
export interface EncodedRow {
  readonly weight: number;
  /** The factors by which its limits shortened its steps and its averages; left out, they did not. */
  readonly factors?: NormBound | undefined;
  /** Fills `into` from byte `at` of its payload on. */
  read(into: Uint8Array, at: number): Promise<void>;
}

/**
 * Rows decoded from the payloads of contributions, a slice at a time. Memory: one payload, and a slice of every row.
 *
 * @param before the bytes of the payload before this section's.
 */
export function encodedRows(
  rows: readonly EncodedRow[],
  { codec, section, before }: { codec: Codec; section: Section; before: number },
): Rows {
  const layout = sectionLayout(section);
  const bytes = sectionBytes(codec, section);
  // Only the parts that a slice needs are ever filled in.
  const payload = new Uint8Array(bytes);
  const slices = rows.map(() => new Float32Array(ROW_SLICE));
  return {
    count: rows.length,
    parameters: section.parameters,
    weights: rows.map(({ weight }) => weight),
    async read(from, length) {
      if (from % ROW_SLICE !== 0 || length > ROW_SLICE)
        throw new CoppiceError('internal', 'Rows are read in slices that begin at a multiple of 4096.');
      const ranges = payloadRanges(codec, layout, from, length);
      for (const [index, row] of rows.entries()) {
        for (const { at, length: part } of ranges)
          await row.read(payload.subarray(at, at + part), before + at);
        const slice = slices[index] as Float32Array;
        const { memory } = workbench();
        payloadValues({ codec, payload }, layout).read(memory, from, length, 0);
        slice.set(new Float32Array(memory.buffer, 0, length));
        if (row.factors !== undefined) shorten(slice.subarray(0, length), layout, from, row.factors);
      }
      return slices.map((slice) => slice.subarray(0, length));
    },
  };
}
