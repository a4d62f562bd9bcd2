import { readFile } from 'node:fs/promises';
import { CoppiceError } from '@coppice/protocol';
import type { Picture } from '../image.ts';

/** The most pixels of a file: twice those of the largest cameras. */
const MOST_PIXELS = 128 << 20;

/**
 * Decodes a PNG or JPEG file to pixels at its full size, as browsers do: turned as its EXIF data say, without its colour
 * profile, of 16 bits the upper 8.
 *
 * @throws CoppiceError `data-invalid` where the bytes are no such file, or one that is damaged or too large.
 */
export async function readPictureFile(bytes: Uint8Array): Promise<Picture> {
  const kind = kindOf(bytes);
  if (kind === null)
    throw refused('it is neither PNG nor JPEG, the kinds that are read here. Save it as one of them');
  const { width, height } = sizeOf(bytes, kind);
  if (width * height > MOST_PIXELS)
    throw refused(`its ${width} × ${height} pixels are more than ${MOST_PIXELS}. Make it smaller`);
  try {
    return kind === 'png' ? await decodePng(bytes) : await decodeJpeg(bytes);
  } catch (cause) {
    throw refused('it is damaged, or in a form that is not read here', cause);
  }
}

function refused(why: string, cause?: unknown): CoppiceError {
  return new CoppiceError('data-invalid', `This picture cannot be read: ${why}.`, { cause });
}

function kindOf(bytes: Uint8Array): 'png' | 'jpeg' | null {
  const begins = (...first: number[]) => first.every((byte, i) => bytes[i] === byte);
  if (begins(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return 'png';
  return begins(0xff, 0xd8, 0xff) ? 'jpeg' : null;
}

/** The size that a file's header states; 0 × 0 where there is none. */
function sizeOf(bytes: Uint8Array, kind: 'png' | 'jpeg'): { width: number; height: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (kind === 'png')
    return bytes.length < 24
      ? { width: 0, height: 0 }
      : { width: view.getUint32(16), height: view.getUint32(20) };
  for (let at = 2; at + 9 <= bytes.length && bytes[at] === 0xff; at += 2 + view.getUint16(at + 2)) {
    const marker = bytes[at + 1] as number;
    // A frame's header: SOF0 to SOF15, but for the three markers between that mean something else.
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker))
      return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
  }
  return { width: 0, height: 0 };
}

async function decodePng(bytes: Uint8Array): Promise<Picture> {
  const { decode, convertIndexedToRgb } = await import('fast-png');
  const png = decode(bytes);
  const { width, height, depth, transparency } = png;
  const palette = png.palette !== undefined;
  const channels = palette ? (png.palette?.[0]?.length ?? 3) : png.channels;
  const values = palette ? convertIndexedToRgb(png) : depth < 8 ? unpacked(png) : png.data;
  const most = palette || depth < 8 ? 1 : depth === 16 ? 256 : 1;
  const data = new Uint8ClampedArray(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    const at = i * channels;
    const value = (c: number) => values[at + c] as number;
    const grey = channels < 3;
    for (let c = 0; c < 3; c++) data[i * 4 + c] = Math.floor(value(grey ? 0 : c) / most);
    const opaque =
      palette || transparency === undefined || channels % 2 === 0
        ? true
        : !transparency.every(
            (one, c) => one === (depth < 8 ? value(c) / (255 / (2 ** depth - 1)) : value(c)),
          );
    data[i * 4 + 3] = channels % 2 === 0 ? Math.floor(value(channels - 1) / most) : opaque ? 255 : 0;
  }
  return { width, height, data };
}

/** Grey of 1, 2 or 4 bits, spread over 0–255. Each row begins with a byte of its own. */
function unpacked({
  width,
  height,
  depth,
  data,
}: {
  width: number;
  height: number;
  depth: number;
  data: ArrayLike<number>;
}) {
  const out = new Uint8Array(width * height);
  const stride = Math.ceil((width * depth) / 8);
  const most = 2 ** depth - 1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const byte = data[y * stride + ((x * depth) >> 3)] as number;
      const shift = 8 - depth - ((x * depth) & 7);
      out[y * width + x] = (((byte >> shift) & most) * 255) / most;
    }
  }
  return out;
}

type DecodeJpeg = typeof import('@jsquash/jpeg/decode.js').default;
let jpeg: Promise<DecodeJpeg> | undefined;

async function decodeJpeg(bytes: Uint8Array): Promise<Picture> {
  jpeg ??= startJpeg();
  const decode = await jpeg;
  try {
    const { width, height, data } = await decode(new Uint8Array(bytes).buffer, { preserveOrientation: true });
    return { width, height, data: new Uint8ClampedArray(data) };
  } catch (thrown) {
    // A damaged file ends the decoder's program: the next one gets another.
    jpeg = undefined;
    throw thrown;
  }
}

async function startJpeg(): Promise<DecodeJpeg> {
  const { default: decode, init } = await import('@jsquash/jpeg/decode.js');
  const file = new URL(import.meta.resolve('@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm'));
  const module = await WebAssembly.compile(await readFile(file));
  await (init as (module: WebAssembly.Module) => Promise<void>)(module);
  return decode;
}
