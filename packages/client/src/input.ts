import { decodePicture, type Row, readPicture, readRow } from '@coppice/datasets/recipe';
import { CoppiceError, type DataSchema, exampleSize } from '@coppice/protocol';

/**
 * The input of a prediction. For a task of pictures anything that a browser can draw: a canvas, an image or a video
 * element, `ImageData`, an `ImageBitmap`, a file. For a table an object with a value for each column, by its name. For
 * both an example as devices store it: bytes of the task's pixels, or one number for each column, the place in its list
 * for a category.
 */
export type Input = ImageBitmapSource | Row | Uint8Array | Float32Array | Float64Array;

/** Names of the classes of `ImageBitmapSource`, of this window and of others. */
const pictures: ReadonlySet<string> = new Set([
  'Blob',
  'File',
  'HTMLCanvasElement',
  'HTMLImageElement',
  'HTMLVideoElement',
  'ImageBitmap',
  'ImageData',
  'OffscreenCanvas',
  'SVGImageElement',
  'VideoFrame',
]);

/** An input as it was when the prediction was asked for. */
export type Taken =
  | { readonly kind: 'image'; readonly bitmap: ImageBitmap }
  | { readonly kind: 'table'; readonly row: Row }
  | { readonly kind: 'stored'; readonly example: Uint8Array | Float32Array | Float64Array };

/**
 * Takes an input as it is now: pages draw on, and fill in, while a model is loading.
 *
 * @throws CoppiceError `data-invalid` for a picture that cannot be read, and for what is neither picture nor row.
 */
export async function takeInput(input: Input): Promise<Taken> {
  if (typeof input !== 'object' || input === null)
    throw new CoppiceError(
      'data-invalid',
      'A prediction takes a picture, or an object with a value for each column.',
    );
  if (input instanceof Uint8Array || input instanceof Float32Array || input instanceof Float64Array)
    return { kind: 'stored', example: input.slice() };
  if (!isPicture(input)) return { kind: 'table', row: { ...input } };
  return { kind: 'image', bitmap: await decodePicture(input).catch(unreadable) };
}

/** Frees the memory of what was taken. */
export function freeInput(taken: Taken): void {
  if (taken.kind === 'image') taken.bitmap.close();
}

/**
 * Makes an example in stored form of what was taken: bytes of a picture, or one number for each column.
 *
 * @returns `exampleSize` numbers, of which `normaliseFeatures` makes the model's input.
 * @throws CoppiceError `data-invalid`
 */
export async function storedInput(
  taken: Taken,
  data: DataSchema,
): Promise<Uint8Array | Float32Array | Float64Array> {
  if (taken.kind === 'image' && data.kind === 'image')
    return readPicture(taken.bitmap, data).catch(unreadable);
  if (taken.kind === 'table' && data.kind === 'table') return readRow(taken.row, data);
  if (taken.kind === 'stored') return checkedExample(taken.example, data);
  throw new CoppiceError(
    'data-invalid',
    data.kind === 'image'
      ? 'This task is about pictures: give a canvas, an image or a file.'
      : 'This task is about rows of a table: give an object with a value for each column.',
  );
}

/** Checks the form of an example. @throws CoppiceError `data-invalid` */
function checkedExample(
  example: Uint8Array | Float32Array | Float64Array,
  data: DataSchema,
): Uint8Array | Float32Array | Float64Array {
  const isFitting = example instanceof Uint8Array === (data.kind === 'image');
  if (isFitting && example.length === exampleSize(data)) return example;
  throw new CoppiceError(
    'data-invalid',
    `An example of this task has ${exampleSize(data)} ${data.kind === 'image' ? 'bytes' : 'numbers (Float32Array or Float64Array)'}.`,
  );
}

function isPicture(
  input: Exclude<Input, Uint8Array | Float32Array | Float64Array>,
): input is ImageBitmapSource {
  return pictures.has(Object.prototype.toString.call(input).slice('[object '.length, -1));
}

function unreadable(cause: unknown): never {
  if (cause instanceof CoppiceError) throw cause;
  throw new CoppiceError(
    'data-invalid',
    'This picture cannot be read: it is empty or damaged, in a format that this browser does not know, or of another site that does not share its pixels. Give another one.',
    { cause },
  );
}
