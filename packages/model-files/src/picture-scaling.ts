import {
  type ImageData,
  type PictureRange,
  pictureBounds,
  pictureRange,
  type Topology,
} from '@coppice/protocol';
import { invalid } from './invalid.ts';
import { isObject, type Json, modelClasses, named } from './layers.ts';

/** The scaling of a model's own Rescaling layers in front: the first weights see scale · x + offset. */
interface OwnScaling {
  readonly scale: number;
  readonly offset: number;
  /** The name of the first of these layers. */
  readonly layer: string;
}

/** Layers that may stand in front of Rescaling, or after it, and leave the range of the numbers alone. */
const passing: ReadonlySet<string> = new Set([
  'InputLayer',
  'Resizing',
  'CenterCrop',
  'RandomHeight',
  'RandomWidth',
  'Cropping2D',
  'ZeroPadding2D',
  'Reshape',
  'Permute',
  'Dropout',
]);

/** The numbers that reach the first weights are distinct where their range is at least this wide. */
const LEAST_WIDTH = 0.05;
/** Numbers beyond this let the first step diverge; pixels have 255. */
const LARGEST = 1000;
const ranges: readonly PictureRange[] = ['0-1', '-1-1', '0-255'];

/**
 * The scaling that a model does itself, before its first weights: Rescaling layers at its input, also in a model at its
 * input.
 *
 * @param topology as `readTopology` returns it.
 * @returns `null` where it has no such layer.
 */
function ownScaling(topology: Topology): OwnScaling | null {
  let [scale, offset] = [1, 0];
  let layer: string | null = null;
  for (const first of firstLayers(topology)) {
    const kind = first['class_name'];
    if (kind === 'Rescaling') {
      const config = isObject(first['config']) ? first['config'] : {};
      const by = typeof config['scale'] === 'number' ? config['scale'] : 1;
      const plus = typeof config['offset'] === 'number' ? config['offset'] : 0;
      scale *= by;
      offset = offset * by + plus;
      layer ??= named(first);
    } else if (!passing.has(String(kind))) break;
  }
  return layer === null ? null : { scale, offset, layer };
}

/**
 * The range that a model was made for: the one whose numbers, after the model's own scaling, are nearest to 0–1 or −1–1.
 * `0-1` for a model that does not scale.
 */
function proposedRange(topology: Topology): PictureRange {
  const own = ownScaling(topology);
  if (own === null) return '0-1';
  const distance = (range: PictureRange) => {
    const [low, high] = seen(range, own);
    return Math.min(Math.abs(low) + Math.abs(high - 1), Math.abs(low + 1) + Math.abs(high - 1));
  };
  return ranges.reduce((best, range) => (distance(range) < distance(best) ? range : best));
}

/**
 * The data of a new task of pictures, with a range that suits its model. Where none is stated and 0–1 contradicts the
 * model's own scaling, the task gets the range that the model was made for.
 *
 * @param topology as `readTopology` returns it.
 * @throws CoppiceError `model-invalid` where the stated range contradicts the model's own scaling, with the range to choose.
 */
export function fitRange(data: ImageData, topology: Topology): ImageData {
  const own = ownScaling(topology);
  if (own === null || suits(pictureRange(data), own)) return data;
  const range = proposedRange(topology);
  if (!suits(range, own)) {
    const [low, high] = seen(range, own);
    throw invalid(
      `its layer "${own.layer}" (Rescaling) brings pixels to ${short(low)} … ${short(high)}, from which nothing can be learned. Correct its scale and offset`,
    );
  }
  if (data.range === undefined) return { ...data, range };
  const [low, high] = seen(data.range, own);
  throw invalid(
    `its layer "${own.layer}" (Rescaling) scales pixels itself, and the task's range ${words(data.range)} scales them too: the layers after it would see ${short(low)} … ${short(high)}. Choose the range ${words(range)}, or remove the layer`,
  );
}

/** The least and the largest number that the layers after a model's own scaling see. */
function seen(range: PictureRange, { scale, offset }: OwnScaling): readonly [number, number] {
  const [a, b] = pictureBounds(range).map((bound) => bound * scale + offset) as [number, number];
  return [Math.min(a, b), Math.max(a, b)];
}

function suits(range: PictureRange, own: OwnScaling): boolean {
  const [low, high] = seen(range, own);
  return high - low >= LEAST_WIDTH && Math.max(-low, high) <= LARGEST;
}

function words(range: PictureRange): string {
  return { '0-1': '0–1', '-1-1': '−1–1', '0-255': '0–255' }[range];
}

function short(value: number): string {
  return String(Number(value.toPrecision(3))).replace('-', '−');
}

/** The layers that the input passes through one after the other, up to the first fork or join. */
function* firstLayers(model: Json | Topology): Generator<Json> {
  const { config } = model as Json;
  const list = Array.isArray(config) ? config : isObject(config) ? config['layers'] : [];
  const layers = (Array.isArray(list) ? list : []).filter(isObject);
  if (model['class_name'] === 'Sequential') {
    for (const layer of layers) yield* entered(layer);
    return;
  }
  const inputs = layers.filter((layer) => layer['class_name'] === 'InputLayer');
  let current = inputs.length === 1 ? inputs[0] : undefined;
  const met = new Set<Json>();
  while (current !== undefined && !met.has(current)) {
    met.add(current);
    yield* entered(current);
    const name = named(current);
    const next = layers.filter((layer) => sourcesOf(layer).includes(name));
    current = next.length === 1 && sourcesOf(next[0] as Json).length === 1 ? next[0] : undefined;
  }
}

function* entered(layer: Json): Generator<Json> {
  if (!modelClasses.has(String(layer['class_name']))) yield layer;
  else yield* firstLayers(layer);
}

/** The names of the layers that a layer of a graph takes its input from, with one name for each time. */
function sourcesOf(layer: Json): string[] {
  const nodes = Array.isArray(layer['inbound_nodes']) ? layer['inbound_nodes'] : [];
  return nodes.flatMap((node: unknown) =>
    Array.isArray(node)
      ? node.flatMap((from: unknown) => (Array.isArray(from) && typeof from[0] === 'string' ? [from[0]] : []))
      : [],
  );
}
