import { classesOf, type DataSchema, inputSize, type Topology } from '@coppice/protocol';
import { conv2d, dense, flatten, type Layer, maxPool, sequential } from './tasks/layers.ts';

/** The widest and the narrowest hidden layer of a table's network. */
const WIDEST = 128;
const NARROWEST = 16;
/** Pictures are halved until a side has this many pixels at most. */
const SMALLEST_SIDE = 8;
/** Halvings of a picture, one after each convolution. */
const MOST_HALVINGS = 4;
/** Filters of the first convolution; each further one has twice as many, up to the most. */
const FILTERS = 8;
const MOST_FILTERS = 64;

/**
 * A small network for data of a schema: for tables two hidden layers, for pictures convolutions with pooling and one hidden
 * layer. It ends in softmax over the classes, or in a linear unit for a number.
 */
export function proposeModel(data: DataSchema): Topology {
  const classes = classesOf(data);
  const head =
    classes === null
      ? dense(
          'output',
          data.kind === 'table' && data.target.kind === 'numbers' ? data.target.columns.length : 1,
          'linear',
        )
      : dense('output', classes.length, 'softmax');
  return sequential('proposed', [
    ...(data.kind === 'image' ? ofPictures(data) : ofTables(inputSize(data))),
    head,
  ]);
}

function ofTables(size: number): Layer[] {
  const units = Math.min(WIDEST, Math.max(NARROWEST, 2 * size));
  return [
    dense('hidden_1', units, 'relu', [size]),
    dense('hidden_2', Math.max(NARROWEST, units / 2), 'relu'),
  ];
}

function ofPictures({ width, height, channels }: Extract<DataSchema, { kind: 'image' }>): Layer[] {
  const layers: Layer[] = [];
  let side = Math.min(width, height);
  for (let step = 1; step === 1 || (side > SMALLEST_SIDE && step <= MOST_HALVINGS); step++) {
    const filters = Math.min(MOST_FILTERS, FILTERS * 2 ** (step - 1));
    layers.push(conv2d(`conv_${step}`, filters, 3, step === 1 ? [height, width, channels] : undefined));
    if (side > 1) layers.push(maxPool(`pool_${step}`));
    side = Math.floor(side / 2);
  }
  return [...layers, flatten('flatten'), dense('hidden', 32, 'relu')];
}
