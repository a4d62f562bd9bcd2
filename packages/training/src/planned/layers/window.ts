import { type LayerInfo, notPlanned } from '../layer.ts';

/** Sizes, strides and padding of a window on a picture [h, w, c]. */
export interface Window {
  readonly h: number;
  readonly w: number;
  readonly c: number;
  readonly sizeH: number;
  readonly sizeW: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly top: number;
  readonly left: number;
  readonly outH: number;
  readonly outW: number;
  /** True where a window reaches beyond the picture's edge. */
  readonly padded: boolean;
}

/** @param size the config's name for the window's size. */
export function windowOf(layer: LayerInfo, size: 'kernelSize' | 'poolSize'): Window {
  const { config, inputShape, outputShape } = layer;
  const [h, w, c] = inputShape as [number, number, number];
  const [outH, outW] = outputShape as [number, number];
  const [sizeH, sizeW] = pair(config[size]);
  const [strideH, strideW] = pair(config['strides']);
  const padding = config['padding'];
  if (padding !== 'same' && padding !== 'valid') notPlanned(layer, `padding "${String(padding)}"`);
  // As TensorFlow pads: where the zeros do not come out even, one more at the bottom and at the right.
  const missing = (length: number, out: number, window: number, stride: number) =>
    padding === 'valid' ? 0 : Math.max(0, (out - 1) * stride + window - length);
  const [missingH, missingW] = [missing(h, outH, sizeH, strideH), missing(w, outW, sizeW, strideW)];
  const [top, left] = [Math.floor(missingH / 2), Math.floor(missingW / 2)];
  const padded = missingH > 0 || missingW > 0;
  return { h, w, c, sizeH, sizeW, strideH, strideW, top, left, outH, outW, padded };
}

function pair(value: unknown): [number, number] {
  const [first, second] = Array.isArray(value) ? value : [value, value];
  return [Number(first), Number(second ?? first)];
}
