import { type Arm, guardedArms } from '@coppice/continuity';
import {
  type Answer,
  CoppiceError,
  FRAME_HEADER_BYTES,
  frameBytes,
  type Section,
  tensorSize,
} from '@coppice/protocol';

/**
 * Checks that a report tells the errors of its sender's arm alone. A frame that is too short is left to the exchange.
 *
 * @param sections the report's.
 * @throws CoppiceError `update-measure`
 */
export function ensureOwnArm({ frame }: Pick<Answer, 'frame'>, sections: readonly Section[], arm: Arm): void {
  const bytes = frameBytes(frame);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = FRAME_HEADER_BYTES;
  for (const tensor of sections.flatMap(({ tensors }) => tensors)) {
    const end = at + 4 * tensorSize(tensor);
    if (tensor.name.startsWith('guard-') && end <= bytes.byteLength)
      for (const [i, other] of guardedArms.entries())
        if (other !== arm && view.getFloat32(at + 4 * i, true) !== 0)
          throw new CoppiceError(
            'update-measure',
            `The report counts nowhere. It tells of the ${other} group of a canary, and its sender is ${arm === 'none' ? 'in neither group of one' : `in the ${arm} group`}. Take the arm of the last "release" or "welcome".`,
          );
    at = end;
  }
}
