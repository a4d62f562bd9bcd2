import { type Binning, layoutOf, type ReportKind } from '@coppice/continuity';
import {
  type Checksum,
  contributionHash,
  contributionSize,
  encodeFrame,
  float32Payload,
} from '@coppice/protocol';

/** The frame of a report, or of statistics. @param identity the hash of the binning or the reference. */
export function reportFrame(
  kind: ReportKind,
  numbers: Float32Array,
  { binning, identity }: { readonly binning: Binning; readonly identity: string },
  checksum: Checksum,
): Uint8Array {
  const layout = layoutOf(kind, binning, identity);
  return encodeFrame(
    {
      kind: 'contribution',
      codec: 'float32',
      layoutHash: contributionHash(layout),
      parameters: contributionSize(layout),
      payload: float32Payload(numbers),
    },
    checksum,
  );
}
