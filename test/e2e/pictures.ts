import { crc32, deflateSync } from 'node:zlib';
import { loadTaskData } from '@coppice/datasets/node';

/** MNIST's digits as PNG files, black ink on white like a scan. */
export async function digitFiles(
  digit: number,
  count: number,
  skip = 0,
): Promise<{ name: string; mimeType: string; buffer: Buffer }[]> {
  const { test } = await loadTaskData('mnist-2nn');
  const rows = [...test.labels.keys()].filter((row) => test.labels[row] === digit).slice(skip, skip + count);
  return rows.map((row) => ({
    name: `${digit}-${row}.png`,
    mimeType: 'image/png',
    buffer: png(
      28,
      28,
      (test.features as Uint8Array).subarray(row * 784, (row + 1) * 784).map((pixel) => 255 - pixel),
    ),
  }));
}

/** A greyscale PNG (W3C PNG specification, third edition): signature, IHDR, IDAT, IEND. */
function png(width: number, height: number, pixels: Uint8Array): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    const check = Buffer.alloc(4);
    check.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, check]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 0, 0, 0, 0], 8);
  const lines = Buffer.concat(
    Array.from({ length: height }, (_, y) =>
      Buffer.concat([Buffer.of(0), pixels.subarray(y * width, (y + 1) * width)]),
    ),
  );
  return Buffer.concat([
    Buffer.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(lines)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/**
 * Strokes of an unmistakable digit on a canvas of size 1, as a hand would draw them.
 */
export const strokes: Readonly<Record<number, readonly (readonly [number, number])[]>> = {
  0: Array.from(
    { length: 25 },
    (_, i) => [0.5 + 0.2 * Math.sin((i * Math.PI) / 12), 0.5 - 0.32 * Math.cos((i * Math.PI) / 12)] as const,
  ),
  1: [
    [0.5, 0.15],
    [0.5, 0.35],
    [0.5, 0.6],
    [0.5, 0.85],
  ],
  7: [
    [0.28, 0.2],
    [0.5, 0.2],
    [0.72, 0.2],
    [0.62, 0.4],
    [0.52, 0.62],
    [0.44, 0.85],
  ],
};
