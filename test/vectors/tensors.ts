import { CoppiceError, type Layout, LayoutSchema, shapeSize } from '@coppice/protocol';
import { isObject, type Json, requireNumber } from './case.ts';

/** The tensors of a model, flat, and the way back to the file's form. */
export interface Flat {
  readonly layout: Layout;
  /** In layout order, with the file's float64 values. */
  readonly values: readonly number[];
  restore(values: ArrayLike<number>): Json;
}

interface Leaf {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/**
 * Reads tensors from a list or a map of them, nested to any depth. An array of numbers of one shape is a row-major
 * tensor, a number a tensor without dimensions. Members of maps are taken in the order of their names.
 *
 * @throws CoppiceError `model-invalid` where no model has these tensors: there are none, or one is empty.
 */
export function flatten(trees: Json | undefined): Flat {
  if (trees === undefined) throw new Error('the case gives no tensors');
  const leaves = [...leavesOf(trees, [])];
  const layout = leaves.map(({ name, shape }) => ({ name, shape: [...shape], trainable: true }));
  if (!LayoutSchema.safeParse(layout).success)
    throw new CoppiceError(
      'model-invalid',
      layout.length === 0 ? 'A model has at least one tensor.' : 'Every tensor has at least one number.',
    );
  return {
    layout,
    values: leaves.flatMap(({ values }) => values),
    restore: (values) => restored(trees, { values, at: 0 }, true),
  };
}

/** As `flatten`, in float32, like the product's weights. */
export function flatten32(trees: Json | undefined): Flat & { readonly weights: Float32Array } {
  const flat = flatten(trees);
  return { ...flat, weights: Float32Array.from(flat.values) };
}

function* leavesOf(tree: Json, path: readonly (string | number)[]): Generator<Leaf> {
  const shape = path.length === 0 && Array.isArray(tree) ? null : shapeOf(tree);
  if (shape !== null)
    yield { name: path.join('/') || 'tensor', shape, values: [...numbers(tree, path.join('/'))] };
  else if (Array.isArray(tree)) for (const [i, one] of tree.entries()) yield* leavesOf(one, [...path, i]);
  else if (isObject(tree))
    for (const name of Object.keys(tree).sort()) yield* leavesOf(tree[name] as Json, [...path, name]);
}

/** The shape of a tensor; `null` where the value is several tensors. */
function shapeOf(value: Json): readonly number[] | null {
  if (isObject(value)) return null;
  if (!Array.isArray(value)) return [];
  const shapes = value.map(shapeOf);
  const [inner = []] = shapes;
  if (inner === null || !shapes.every((shape) => shape?.join() === inner.join())) return null;
  return [value.length, ...inner];
}

function* numbers(value: Json, name: string): Generator<number> {
  if (Array.isArray(value)) for (const one of value) yield* numbers(one, name);
  else yield requireNumber(value, `a number of the tensor ${name}`);
}

function restored(tree: Json, from: { values: ArrayLike<number>; at: number }, top: boolean): Json {
  const shape = top && Array.isArray(tree) ? null : shapeOf(tree);
  if (shape !== null) {
    const begin = from.at;
    from.at += shapeSize(shape);
    return nested(from.values, shape, begin);
  }
  if (Array.isArray(tree)) return tree.map((one) => restored(one, from, false));
  if (!isObject(tree)) throw new Error('not a tensor');
  const members: { [name: string]: Json } = {};
  for (const name of Object.keys(tree).sort()) members[name] = restored(tree[name] as Json, from, false);
  return members;
}

function nested(values: ArrayLike<number>, [length, ...inner]: readonly number[], at: number): Json {
  if (length === undefined) return values[at] as number;
  const size = shapeSize(inner);
  return Array.from({ length }, (_, i) => nested(values, inner, at + i * size));
}
