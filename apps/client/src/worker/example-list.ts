import { exampleIds, ID_BYTES, type OwnExamples, type Source } from '@coppice/participant';

/** One of the device's examples, for the person to look at. */
export interface ShownExample {
  /** 32 hexadecimal digits. */
  readonly id: string;
  /** Pixels 0–255, or column values. */
  readonly features: Uint8Array | Float32Array | Float64Array;
  /** Class index, or target value. */
  readonly label: number;
  readonly source: Source;
  /** When it was added, milliseconds since 1970 by the coordinator's clock; null where that is not known. */
  readonly time: number | null;
}

export interface ExampleList {
  /** Number of examples in the whole list. */
  readonly total: number;
  readonly examples: readonly ShownExample[];
}

/**
 * A part of the list of examples, the newest first.
 *
 * @param part.label lists only the examples of a class; null: all.
 * @param part.from place of the first one, from 0.
 */
export function listExamples(
  { count, features, labels, ids, times, sources }: OwnExamples,
  part: { readonly label: number | null; readonly from: number; readonly count: number },
): ExampleList {
  const size = count === 0 ? 0 : features.length / count;
  const rows = Array.from({ length: count }, (_, i) => count - 1 - i).filter(
    (row) => part.label === null || labels[row] === part.label,
  );
  const examples = rows.slice(part.from, part.from + part.count).map((row) => {
    const [id] = exampleIds({ ids: ids.subarray(row * ID_BYTES, (row + 1) * ID_BYTES) }) as [string];
    const time = times[row] as number;
    return {
      id,
      features: features.slice(row * size, (row + 1) * size),
      label: labels[row] as number,
      source: sources[row] as Source,
      time: Number.isNaN(time) ? null : time,
    };
  });
  return { total: rows.length, examples };
}
