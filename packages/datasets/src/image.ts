import { CoppiceError, type ImageData as ImageSchema } from '@coppice/protocol';
import { type Area, type Plane, Resampler, resample } from './resample.ts';

/** A picture in a canvas's format: four bytes a pixel (red, green, blue, alpha), row-major. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray | Uint8Array;
}

/** Least contrast, as a share of full, that counts as ink; below it the sheet is empty. */
const LEAST_CONTRAST = 0.1;

/** Ink fainter than this share of the darkest is paper grain, which doesn't widen a digit's box. */
const GRAIN = 0.08;

/** The share of the picture's side that a digit fills in MNIST: 20 of 28 pixels. */
const DIGIT_SHARE = 20 / 28;

/** Pixels of a picture in a canvas's format, read a block at a time: a camera's picture is not copied as a whole. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** The block of whole pixels with its corner at (x, y): four bytes each (red, green, blue, alpha), row-major. */
  read(x: number, y: number, width: number, height: number): Uint8ClampedArray | Uint8Array;
}

/** The longer side of a drawing before its ink is looked for, in pixels, at least. */
const DRAWING_SIDE = 512;
/** Pixels that are read at once. */
const BLOCK = 1 << 20;

/**
 * Converts a picture to an example's bytes for a task: height × width × channels, 0–255.
 *
 * For a task with `ink: 'light-on-dark'` the picture is treated as a drawing and prepared as MNIST was: ink made bright
 * on any paper, cropped to its box, scaled to fit 20 of 28 pixels, its centre of mass in the middle (LeCun et al.,
 * 1998). A drawing whose longer side is above 512, or twice the schema's, is brought to that first. An empty sheet
 * gives zeros. Any other picture is cropped to the schema's proportions around its centre and resized once.
 *
 * @throws CoppiceError `data-invalid` where the picture has no pixels, or their number does not match its size.
 */
export function prepareImage(picture: Picture, schema: ImageSchema): Uint8Array {
  const { width, height, data } = picture;
  if (!(width >= 1 && height >= 1 && data.length === width * height * 4)) {
    throw new CoppiceError(
      'data-invalid',
      `This picture cannot be used: ${width} × ${height} pixels were announced, and ${data.length} bytes came. Choose another.`,
    );
  }
  return preparePixels({ width, height, read: (...block) => blockOf(picture, ...block) }, schema);
}

/** As `prepareImage`, of pixels that are read a block at a time. */
export function preparePixels(pixels: Pixels, schema: ImageSchema): Uint8Array {
  if (schema.ink === 'light-on-dark' && schema.channels === 1)
    return prepareDrawing(drawingOf(pixels, schema), schema);
  const area = cover(pixels, schema.width / schema.height);
  const planes = resized(pixels, area, schema.width, schema.height, schema.channels);
  const bytes = new Uint8ClampedArray(schema.width * schema.height * schema.channels);
  for (let i = 0; i < schema.width * schema.height; i++) {
    for (const [c, plane] of planes.entries()) bytes[i * schema.channels + c] = plane.values[i] as number;
  }
  return new Uint8Array(bytes.buffer);
}

function blockOf({ width, data }: Picture, x: number, y: number, columns: number, rows: number) {
  if (columns === width) return data.subarray(y * width * 4, (y + rows) * width * 4);
  const block = new Uint8ClampedArray(columns * rows * 4);
  for (let row = 0; row < rows; row++) {
    const from = ((y + row) * width + x) * 4;
    block.set(data.subarray(from, from + columns * 4), row * columns * 4);
  }
  return block;
}

/** The grey of a drawing, not longer than is needed to find its ink. */
function drawingOf(pixels: Pixels, schema: ImageSchema): Plane {
  const { width, height } = pixels;
  const side = Math.max(DRAWING_SIDE, 2 * schema.width, 2 * schema.height);
  const scale = Math.min(1, side / Math.max(width, height));
  const [w, h] = [width, height].map((one) => Math.max(1, Math.round(one * scale))) as [number, number];
  return resized(pixels, { x: 0, y: 0, width, height }, w, h, 1)[0] as Plane;
}

/** The channels of an area, resized: red, green and blue, or grey alone. */
function resized(pixels: Pixels, area: Area, width: number, height: number, channels: 1 | 3): Plane[] {
  const resamplers = Array.from({ length: channels }, () => new Resampler(pixels, area, width, height));
  const { left, right, top, bottom } = resamplers[0] as Resampler;
  const columns = right - left;
  const rows = Math.max(1, Math.floor(BLOCK / columns));
  const row = Array.from({ length: 3 }, () => new Float32Array(columns)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  for (let from = top; from < bottom; from += rows) {
    const count = Math.min(rows, bottom - from);
    const block = pixels.read(left, from, columns, count);
    for (let y = 0; y < count; y++) {
      overWhite(block, y * columns * 4, row);
      if (channels === 1) toGrey(row);
      for (const [c, resampler] of resamplers.entries())
        resampler.add(from + y, row[c] as Float32Array, left);
    }
  }
  return resamplers.map((resampler) => resampler.result());
}

/** A row's red, green and blue over white: transparent parts show the paper. */
function overWhite(
  data: Uint8ClampedArray | Uint8Array,
  at: number,
  [red, green, blue]: [Float32Array, Float32Array, Float32Array],
): void {
  for (let i = 0, from = at; i < red.length; i++, from += 4) {
    const alpha = (data[from + 3] as number) / 255;
    const white = 255 * (1 - alpha);
    red[i] = (data[from] as number) * alpha + white;
    green[i] = (data[from + 1] as number) * alpha + white;
    blue[i] = (data[from + 2] as number) * alpha + white;
  }
}

/** Luma after ITU-R BT.601, in the place of red. */
function toGrey([red, green, blue]: [Float32Array, Float32Array, Float32Array]): void {
  for (let i = 0; i < red.length; i++)
    red[i] = 0.299 * (red[i] as number) + 0.587 * (green[i] as number) + 0.114 * (blue[i] as number);
}

/** The largest centred area of these proportions. */
function cover({ width, height }: { width: number; height: number }, ratio: number): Area {
  const w = Math.min(width, height * ratio);
  const h = Math.min(height, width / ratio);
  return { x: (width - w) / 2, y: (height - h) / 2, width: w, height: h };
}

function prepareDrawing(drawing: Plane, { width, height }: ImageSchema): Uint8Array {
  const ink = brightInk(drawing);
  const box = ink && boxOf(ink);
  const out = new Uint8ClampedArray(width * height);
  if (!ink || !box) return new Uint8Array(out.buffer);

  const side = DIGIT_SHARE * Math.min(width, height);
  const scale = side / Math.max(box.width, box.height);
  const w = Math.max(1, Math.round(box.width * scale));
  const h = Math.max(1, Math.round(box.height * scale));
  const digit = resample(ink, box, w, h);
  const peak = digit.values.reduce((most, value) => Math.max(most, value), 0);
  const mass = centreOfMass(digit);
  // MNIST's middle is the centre of the pixel right of and below the exact middle. Nothing is cut off.
  const left = Math.max(0, Math.min(width - w, Math.round((width + 1) / 2 - mass.x)));
  const top = Math.max(0, Math.min(height - h, Math.round((height + 1) / 2 - mass.y)));
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      // Thin strokes grow pale when they shrink; MNIST's are as bright as can be.
      out[(top + y) * width + left + x] = ((digit.values[y * w + x] as number) / peak) * 255;
    }
  }
  return new Uint8Array(out.buffer);
}

/**
 * Amount of ink at each pixel, 0 to 1: the distance from the paper's brightness, which is the median along the border,
 * towards the side of the most extreme pixels. Null for an empty sheet.
 */
function brightInk({ width, height, values }: Plane): Plane | null {
  const border: number[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (x === 0 || y === 0 || x === width - 1 || y === height - 1)
        border.push(values[y * width + x] as number);
    }
  }
  const paper = border.sort((a, b) => a - b)[border.length >> 1] as number;
  let darkest = paper;
  let lightest = paper;
  for (const value of values) {
    if (value < darkest) darkest = value;
    if (value > lightest) lightest = value;
  }
  const inkIsLight = lightest - paper > paper - darkest;
  const contrast = inkIsLight ? lightest - paper : paper - darkest;
  if (contrast < LEAST_CONTRAST * 255) return null;
  const sign = inkIsLight ? 1 : -1;
  return { width, height, values: values.map((value) => Math.max(0, (sign * (value - paper)) / contrast)) };
}

/** The smallest box around all ink above grain. */
function boxOf({ width, height, values }: Plane): Area | null {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if ((values[y * width + x] as number) <= GRAIN) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  return right < 0 ? null : { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}

/** Centre of mass in pixels from the top left corner; pixel centres are at half pixels. */
function centreOfMass({ width, height, values }: Plane): { x: number; y: number } {
  let [sum, x, y] = [0, 0, 0];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const value = values[row * width + column] as number;
      sum += value;
      x += value * (column + 0.5);
      y += value * (row + 0.5);
    }
  }
  return { x: x / sum, y: y / sum };
}
