import { sha256 } from '@noble/hashes/sha2.js';
import * as z from 'zod/mini';
import { type Codec, payloadBytes } from './codec.ts';
import { type Layout, shapeSize, utf8 } from './layout.ts';

/**
 * What is done with a tensor of a contribution.
 *
 * - `step`: a change (Δw, Δc): clipped, compressed, and what a server optimizer works on.
 * - `average`: a running statistic's change: averaged plainly, never clipped or compressed.
 * - `frozen`: a weight that nothing moves. It is listed, and has no numbers in the contribution.
 * - `measure`: a count or a sum of measurements: never multiplied by the weight.
 */
export const TensorRoleSchema = z.enum(['step', 'average', 'frozen', 'measure']);
export type TensorRole = z.infer<typeof TensorRoleSchema>;

/** The capability that `frozen` tensors require: answers leave their numbers out, and questions come in parts. */
export const FROZEN_ROLE = 'role:frozen';

/** The capabilities that a layout of answers requires of a participant. */
export function requiresOfLayout(layout: ContributionLayout): string[] {
  return layout.some(({ role }) => role === 'frozen') ? [FROZEN_ROLE] : [];
}

/** One tensor of a contribution, with all that its sum needs to know of it. */
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
  /** Whether the sum multiplies by the contribution's weight, or by one. */
  weighted: z.enum(['weight', 'one']),
  /** `double`: each number travels as two float32 limbs whose sum it is; all first limbs come before all second ones. */
  precision: z.enum(['single', 'double']),
});
export type TensorSpec = z.infer<typeof TensorSpecSchema>;

/** The tensors of a contribution, in the order in which they lie in its flat vector. */
export const ContributionLayoutSchema = z
  .array(TensorSpecSchema)
  .check(z.minLength(1), z.maxLength(20_000), z.refine(isSound, 'its groups are not sound'));
export type ContributionLayout = readonly TensorSpec[];

/** One group of a contribution's layout, as codecs and sums see it. */
export interface Section {
  readonly group: string;
  readonly tensors: readonly TensorSpec[];
  /** float32 numbers, limbs counted. */
  readonly parameters: number;
  /** How many of them are steps: the part that a codec shortens. */
  readonly steps: number;
  readonly unit: number;
  readonly weighted: TensorSpec['weighted'];
  /** Only measures: they are summed beside the vectors, and travel as float32. */
  readonly measures: boolean;
}

/** How many float32 numbers a tensor takes in the vector. */
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

/** How many float32 numbers a contribution has. */
export function contributionSize(layout: ContributionLayout): number {
  return layout.reduce((sum, tensor) => sum + tensorSize(tensor), 0);
}

/**
 * How many bytes a contribution's payload has: section after section, in each what is no step as float32, then the
 * steps by the codec.
 */
export function contributionBytes(codec: Codec, sections: readonly Section[]): number {
  return sections.reduce((sum, section) => sum + sectionBytes(codec, section), 0);
}

/** How many bytes of the payload one section takes: of measures, the float32 numbers alone, whatever the codec. */
export function sectionBytes(codec: Codec, { parameters, steps, measures }: Section): number {
  return measures ? 4 * parameters : payloadBytes(codec, { parameters, trainable: steps });
}

/** A section's tensors that travel, as codecs take them: the steps are what they shorten. */
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
 * by `\n`. It stands in every contribution's frame, so that nothing is summed as something else. Bounds are not part of
 * it: they may follow a run's rounds.
 */
export function contributionHash(layout: ContributionLayout): Uint8Array {
  const text = layout
    .map(
      ({ group, name, role, weighted, precision, unit, shape }) =>
        `${group}/${name}:${role}:${weighted}:${precision}:${Math.log2(unit)}:${shape.join(',')}`,
    )
    .join('\n');
  return sha256(utf8(text)).slice(0, 16);
}

/** Whether groups are contiguous and agree in what a sum needs of them, measures come last, and units are powers of two. */
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
