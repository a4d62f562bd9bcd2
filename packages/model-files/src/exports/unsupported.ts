import { CoppiceError } from '@coppice/protocol';

/** The refusal of an export that a model cannot be written as. @param why a clause about the layer, without a period. */
export function unsupported(layer: string, why: string): CoppiceError {
  return new CoppiceError(
    'export-unsupported',
    `This model has no ONNX form: the layer "${layer}" ${why}. Take model.json with weights.bin, or model.safetensors.`,
  );
}
