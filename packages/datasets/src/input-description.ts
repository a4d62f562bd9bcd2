import {
  type DataSchema,
  featureWidth,
  type ImageData,
  inputSize,
  type PictureRange,
  pictureBounds,
  pictureRange,
  type TableData,
} from '@coppice/protocol';

/** The preparation of a picture for a model, for programs without this library. */
export interface PictureInput {
  readonly kind: 'image';
  /** Height, width and channels of one example, in the order in which its numbers lie. */
  readonly shape: readonly [number, number, number];
  /** `grey`: luma · (red, green, blue). */
  readonly channels: 'grey' | 'rgb';
  /** Weights of red, green and blue in grey (ITU-R BT.601); null for colour. */
  readonly luma: readonly [number, number, number] | null;
  /** The colour under transparent pixels, 0–255. */
  readonly background: 255;
  /** `cover`: the largest centred area of the proportions of `shape`. `ink`: the box of the drawing. */
  readonly crop: 'cover' | 'ink';
  /** Linear interpolation; where it shrinks, the triangle is as wide as a pixel of the result, so that every pixel counts. */
  readonly resample: 'triangle';
  readonly ink: 'light-on-dark' | 'any';
  /** The numbers that the model is given for bytes 0 and 255. */
  readonly range: readonly [number, number];
  /** The preparation in English sentences, in order. */
  readonly steps: readonly string[];
}

/** The preparation of a row for a model, for programs without this library. */
export interface TableInput {
  readonly kind: 'table';
  /** Numbers of one example. */
  readonly shape: readonly [number];
  readonly columns: readonly InputColumn[];
  /** The preparation in English sentences, in order. */
  readonly steps: readonly string[];
}

/** A column, and the place of its first number among those of an example. */
export type InputColumn =
  | {
      readonly kind: 'number';
      readonly name: string;
      readonly at: number;
      readonly unit: string | null;
      /** The model is given (value − mean) / scale. */
      readonly mean: number;
      readonly scale: number;
    }
  | {
      readonly kind: 'category';
      readonly name: string;
      readonly at: number;
      /** One number each, 1 where the value is this one and else 0; a last one is 1 for any other value. */
      readonly values: readonly string[];
    };

/** Describes how a picture or a row becomes the numbers that a task's model takes, in words and numbers. */
export function describeInput(data: DataSchema): PictureInput | TableInput {
  return data.kind === 'image' ? pictureInput(data) : tableInput(data);
}

const rangeSteps: Readonly<Record<PictureRange, string>> = {
  '0-1': 'Bring 0–255 to 0–1: byte / 255.',
  '-1-1': 'Bring 0–255 to −1–1: (2 · byte − 255) / 255.',
  '0-255': 'Leave them at 0–255: the model takes the bytes as numbers.',
};

function pictureInput(data: ImageData): PictureInput {
  const { width, height, channels, ink = 'any' } = data;
  const drawing = ink === 'light-on-dark' && channels === 1;
  const grey = channels === 1;
  const size = `${width} × ${height} pixels (width × height)`;
  const range = pictureBounds(pictureRange(data));
  return {
    kind: 'image',
    shape: [height, width, channels],
    channels: grey ? 'grey' : 'rgb',
    luma: grey ? [0.299, 0.587, 0.114] : null,
    background: 255,
    crop: drawing ? 'ink' : 'cover',
    resample: 'triangle',
    ink,
    range,
    steps: [
      'Decode the file at its full size, turned as its EXIF data say, without its colour profile; of 16 bits the upper 8, of an animation the first frame.',
      'Draw transparent pixels on white.',
      grey
        ? 'Make grey of red, green and blue: 0.299 · R + 0.587 · G + 0.114 · B.'
        : 'Keep red, green and blue, in this order.',
      ...(drawing
        ? [
            `Where the longer side is above ${Math.max(512, 2 * width, 2 * height)} pixels, bring it to that by linear interpolation, as below.`,
            'Take the median brightness along the border for the paper; ink is the distance from it towards the most extreme pixel, as a share of that pixel’s distance. Less contrast than a tenth is an empty sheet: all zeros.',
            `Crop to the smallest box of ink above 0.08. Scale it so that its longer side is 20/28 of the shorter side of ${size}, by linear interpolation whose triangle is as wide as a pixel of the result, and divide by its largest value.`,
            'Place it so that its centre of mass is at ((width + 1) / 2, (height + 1) / 2), rounded to whole pixels and without cutting anything off; all other pixels are 0. Multiply by 255.',
          ]
        : [
            `Crop to the largest centred area of the proportions of ${size}.`,
            `Resize it to ${size} by linear interpolation; where it shrinks, the triangle is as wide as a pixel of the result, so that every pixel counts, and beyond the edge of the picture its edge goes on (else as Pillow’s BILINEAR).`,
          ]),
      'Round to whole numbers from 0 to 255 (half to even).',
      rangeSteps[pictureRange(data)],
      `Order the numbers as [height, width, channels]: ${height} rows of ${width} pixels of ${channels}.`,
    ],
  };
}

function tableInput(data: TableData): TableInput {
  let at = 0;
  const columns = data.features.map((feature): InputColumn => {
    const from = at;
    at += featureWidth(feature);
    return feature.kind === 'category'
      ? { kind: 'category', name: feature.name, at: from, values: feature.values }
      : {
          kind: 'number',
          name: feature.name,
          at: from,
          unit: feature.unit ?? null,
          mean: feature.mean,
          scale: feature.scale,
        };
  });
  return {
    kind: 'table',
    shape: [inputSize(data)],
    columns,
    steps: [
      'Take the columns in this order; "at" is the place of the first number of each.',
      ...(columns.some(({ kind }) => kind === 'number')
        ? ['A column of numbers is one number: (value − mean) / scale.']
        : []),
      ...(columns.some(({ kind }) => kind === 'category')
        ? [
            'A column of categories is one number for each of its values, in their order, and a last one for any other value: 1 for the value that the row has, 0 for the others.',
          ]
        : []),
    ],
  };
}
