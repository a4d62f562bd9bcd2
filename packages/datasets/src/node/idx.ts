import { CoppiceError } from '@coppice/protocol';

/** A file in the IDX format of MNIST, with unsigned bytes. */
export interface Idx {
  readonly shape: readonly number[];
  /** A view into the file's bytes, row-major. */
  readonly values: Uint8Array;
}

/**
 * Reads an IDX file: two zero bytes, a type byte (8: unsigned bytes), the number of dimensions, each
 * dimension as a big-endian 32-bit integer, the values (LeCun, yann.lecun.com/exdb/mnist).
 *
 * @throws CoppiceError `data-invalid`
 */
export function parseIdx(file: Uint8Array): Idx {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < 4 || view.getUint16(0) !== 0 || view.getUint8(2) !== 8) {
    throw new CoppiceError('data-invalid', 'This is no IDX file of unsigned bytes. Install the data again.');
  }
  const rank = view.getUint8(3);
  const header = 4 + 4 * rank;
  const shape = file.length < header ? [] : Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  // Beyond what a number can hold, a product of claims times nothing would be none.
  const size = shape.includes(0) ? 0 : shape.reduce((product, dimension) => product * dimension, 1);
  if (shape.length === 0 || file.length < header + size) {
    throw new CoppiceError('data-invalid', 'This IDX file is cut short. Install the data again.');
  }
  return { shape, values: file.subarray(header, header + size) };
}
