import { integerBelow, type RandomSource } from '@coppice/ports';
import { pickRows } from './examples.ts';
import type { OwnDataset } from './local-data.ts';

/**
 * A dataset of at most `most` examples, in the order in which they were added: all of them, or that many drawn uniformly
 * without replacement.
 */
export function drawnShare(data: OwnDataset, most: number, random: RandomSource): OwnDataset {
  if (data.count <= most) return data;
  const rows = Uint32Array.from({ length: data.count }, (_, row) => row);
  for (let at = 0; at < most; at++) {
    const other = at + integerBelow(random, data.count - at);
    const row = rows[at] as number;
    rows[at] = rows[other] as number;
    rows[other] = row;
  }
  return pickRows(data, rows.subarray(0, most).sort());
}
