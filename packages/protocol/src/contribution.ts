import { sha256 } from '@noble/hashes/sha2.js';
import * as z from 'zod/mini';
import { type Codec, payloadBytes } from './codec.ts';
import { type Layout, onceEach, shapeSize, utf8 } from './layout.ts';
import { MAX_CONTRIBUTION_BYTES } from './limits.ts';

/**
 * The treatment of a tensor in a contribution.
 *
 * - `step`: a change (Δw, Δc): clipped, compressed, and passed to the server optimizer.
 * - `average`: a running statistic's change: averaged plainly, never clipped or compressed.
 * - `frozen`: a weight that training never moves. It is listed, and has no numbers in the contribution.
 * - `measure`: a count or a sum of measurements: never multiplied by the weight.
 */
export const TensorRoleSchema = z.enum(['step', 'average', 'frozen', 'measure']);
export type TensorRole = z.infer<typeof TensorRoleSchema>;

/** The capability to omit the numbers of `frozen` tensors and to take models in parts, required for layouts that have any. */
export const FROZEN_ROLE = 'role:frozen';

/** The capabilities that a layout of answers requires of a participant. */
export function requiresOfLayout(layout: ContributionLayout): string[] {
  return layout.some(({ role }) => role === 'frozen') ? [FROZEN_ROLE] : [];
}

/** One tensor of a contribution, with the properties that its sum depends on. */
export const TensorSpecSchema = z.object({
  /** Unique within its group, e.g. `dense_1/kernel`. */
  name: z.string().check(z.minLength(1), z.maxLength(200)),
  shape: z.array(z.int().check(z.minimum(1))).check(z.maxLength(8)),
  role: TensorRoleSchema,
  /** Tensors of one group follow each other, share unit and weighting, and are bounded together. */
  group: z.string().check(z.minLength(1), z.maxLength(40)),
  /** The unit in which the sum is a whole number; a power of two. */
  unit: z.number().check(z.positive()),
  /**
   * The most that one participant may add: the L2 norm over the group's tensors of the same role for `step` and
   * `average`, |x| for each element of a `measure`. `null`: no bound but the sum's own range.
   */
  bound: z.nullable(z.number().check(z.positive())),
  /** `weight` where the sum multiplies by the contribution's weight, `one` where it does not. */
  weighted: z.enum(['weight', 'one']),
  /** `double`: each number travels as two float32 limbs that add up to it; all first limbs precede all second ones. */
  precision: z.enum(['single', 'double']),
});
export type TensorSpec = z.infer<typeof TensorSpecSchema>;

/** The tensors of a contribution, in the order in which they lie in its flat vector. */
export const ContributionLayoutSchema = z
  .array(TensorSpecSchema)
  .check(
    z.minLength(1),
    z.maxLength(20_000),
    z.refine(isWithinLimit, 'more than the largest contribution there may be'),
    z.refine(isSound, 'its groups are not sound'),
  );
export type ContributionLayout = readonly TensorSpec[];

/** One group of a contribution's layout, as codecs and sums see it. */
export interface Section {
  readonly group: string;
  readonly tensors: readonly TensorSpec[];
  /** float32 numbers, limbs counted. */
  readonly parameters: number;
  /** Number of them that are steps, the part that a codec compresses. */
  readonly steps: number;
  readonly unit: number;
  readonly weighted: TensorSpec['weighted'];
  /** True for the section of the measures: summed beside the vectors, and sent as float32. */
  readonly measures: boolean;
}

/** Number of float32 values that a tensor takes in the vector. */
export function tensorSize({ shape, precision, role }: TensorSpec): number {
  if (role === 'frozen') return 0;
  return shapeSize(shape) * (precision === 'double' ? 2 : 1);
}

/** The groups of a layout, in order. */
export function sectionsOf(layout: ContributionLayout): Section[] {
  const groups: TensorSpec[][] = [];
  for (const tensor of layout) {
    const last = groups.at(-1);
    if (last?.[0]?.group === tensor.group) last.push(tensor);
    else groups.push([tensor]);
  }
  return groups.map((tensors) => {
    const { group, unit, weighted, role } = tensors[0] as TensorSpec;
    const size = (some: readonly TensorSpec[]) => some.reduce((sum, tensor) => sum + tensorSize(tensor), 0);
    return {
      group,
      tensors,
      parameters: size(tensors),
      steps: size(tensors.filter((tensor) => tensor.role === 'step')),
      unit,
      weighted,
      measures: role === 'measure',
    };
  });
}

/** Number of float32 values in a contribution. */
export function contributionSize(layout: ContributionLayout): number {
  return layout.reduce((sum, tensor) => sum + tensorSize(tensor), 0);
}

/**
 * Size in bytes of a contribution's payload: section after section, in each the other tensors as float32, then the
 * encoded steps.
 */
export function contributionBytes(codec: Codec, sections: readonly Section[]): number {
  return sections.reduce((sum, section) => sum + sectionBytes(codec, section), 0);
}

/** Size in bytes of one section of the payload. Measures are float32 under any codec. */
export function sectionBytes(codec: Codec, { parameters, steps, measures }: Section): number {
  return measures ? 4 * parameters : payloadBytes(codec, { parameters, trainable: steps });
}

/** A section's transmitted tensors as a model layout for codecs; the steps are its trainable part. */
export function sectionLayout({ tensors }: Section): Layout {
  return tensors
    .filter(({ role }) => role !== 'frozen')
    .map(({ name, shape, role, precision }) => ({
      name,
      shape: precision === 'double' ? [2, ...shape] : shape,
      trainable: role === 'step',
    }));
}

/**
 * The first 16 bytes of SHA-256 over one line a tensor, `group/name:role:weighted:precision:log2 unit:d0,d1,…`, joined
 * by `\n`. Every contribution frame carries it, so that no vector is summed under another layout. Bounds are left out,
 * since they may change between rounds.
 */
export const contributionHash = onceEach((layout: ContributionLayout): Uint8Array => {
  const text = layout
    .map(
      ({ group, name, role, weighted, precision, unit, shape }) =>
        `${group}/${name}:${role}:${weighted}:${precision}:${Math.log2(unit)}:${shape.join(',')}`,
    )
    .join('\n');
  return sha256(utf8(text)).slice(0, 16);
});

/** Checks the size of a layout, frozen tensors counted: these have no numbers in a contribution, and some in the model. */
function isWithinLimit(layout: ContributionLayout): boolean {
  const numbers = layout.reduce(
    (sum, { shape, precision }) => sum + shapeSize(shape) * (precision === 'double' ? 2 : 1),
    0,
  );
  return 4 * numbers <= MAX_CONTRIBUTION_BYTES;
}

/**
 * Checks that names are unique, groups are contiguous and uniform in unit and weighting, measures come last, and units
 * are powers of two.
 */
function isSound(layout: ContributionLayout): boolean {
  const sections = sectionsOf(layout);
  const names = new Set(layout.map(({ group, name }) => `${group}/${name}`));
  return (
    names.size === layout.length &&
    new Set(sections.map(({ group }) => group)).size === sections.length &&
    sections.every(({ measures }, i) => !measures || i === sections.length - 1) &&
    sections.every(({ tensors, unit, weighted, measures }) =>
      tensors.every(
        (tensor) =>
          Number.isInteger(Math.log2(tensor.unit)) &&
          (tensor.role === 'measure') === measures &&
          // Measures are summed one by one, so each may have a unit of its own.
          (measures ? tensor.weighted === 'one' : tensor.unit === unit && tensor.weighted === weighted) &&
          (measures || tensor.precision === 'single'),
      ),
    )
  );
}
