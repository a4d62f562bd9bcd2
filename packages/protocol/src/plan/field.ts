import * as z from 'zod/mini';
import type { Localized } from '../task.ts';
import type { ConsentSays } from './consent.ts';

/** The value of a plan field; `null` is an optional number that is not set. */
export type PlanValue = string | number | null;

/** Plan values by field name. */
export type PlanValues = Readonly<Record<string, PlanValue | undefined>>;

/** A function of a field's value and of the plan that it stands in. A method type, so that fields of all types share one list. */
export type OfValue<T, Result> = { of(value: T, plan: PlanValues): Result }['of'];

/**
 * The form's input for a field, with the bounds of the schema. Numbers: `min` and `max` inclusive, or `min` exclusive
 * with `open`; `step` 1 for whole numbers; `optional` allows `null`.
 */
export type PlanInput =
  | {
      readonly kind: 'number';
      readonly min: number;
      readonly max: number;
      readonly step: 1 | 'any';
      readonly open?: boolean;
      readonly optional?: boolean;
    }
  | {
      readonly kind: 'choice';
      readonly options: readonly ChoiceOption[];
    };

/** An option of a choice; `help` explains it where it is chosen. */
export interface ChoiceOption {
  readonly value: string;
  readonly label: Localized;
  readonly help?: Localized;
}

/** The circumstances of a simulation that `pnpm simulate` derives values from. */
export interface SimulationFacts {
  /** The number of headless clients. */
  readonly clients: number;
  /** The plan fields set by flags. */
  readonly given: PlanValues;
}

/** The value that `pnpm simulate` uses without the field's flag, in place of the task's default. */
export interface SimulationDefault<T> {
  readonly value: T | ((facts: SimulationFacts) => T);
  /** The default as `--help` describes it, for a `value` that is a function. */
  readonly words?: string;
  /** The value makes simulations repeatable: a plan's unchanged default is not carried over to a simulation. */
  readonly repeats?: boolean;
}

/** All texts and rules of a field beside its schema. */
export interface FieldTexts<T> {
  /** The value of a plan that leaves the field out, unless the task has a default of its own. */
  readonly default: T;
  /** The value that a stored plan from before this field stands for. Left out: the default. */
  readonly unset?: T;
  readonly label: Localized;
  /** The meaning of the field, in one sentence. */
  readonly help: Localized;
  /** The consequence of changing the field. */
  readonly consequence: Localized;
  readonly unit?: Localized;
  /** The flag of `pnpm simulate`. Left out: the field's name in kebab case, and a placeholder that fits its input. */
  readonly flag?: { readonly name?: string; readonly takes?: string };
  readonly simulation?: SimulationDefault<T>;
  /** The field's statements on the consent label. */
  readonly consent?: ConsentSays<T>;
  /** The capabilities that a participant must have for a value, e.g. `codec:int4`. */
  readonly requires?: OfValue<T, readonly string[]>;
}

/**
 * A plan field: its schema, default, texts and rules in one object. The launch form, the flags of `pnpm simulate`,
 * OpenAPI, docs/plan.md, the consent label and the checks at the boundary are derived from it.
 */
export interface PlanField<T extends PlanValue = PlanValue> extends FieldTexts<T> {
  readonly schema: z.ZodMiniType<T, T>;
  readonly input: PlanInput;
}

/** A whole number from `min` to `max`. */
export function int(min: number, max: number, texts: FieldTexts<number>): PlanField<number> {
  return {
    ...texts,
    schema: z.int().check(z.minimum(min), z.maximum(max)),
    input: { kind: 'number', min, max, step: 1 },
  };
}

/** A number from `min` to `max`. */
export function real(min: number, max: number, texts: FieldTexts<number>): PlanField<number> {
  return {
    ...texts,
    schema: z.number().check(z.minimum(min), z.maximum(max)),
    input: { kind: 'number', min, max, step: 'any' },
  };
}

/** A number above `min`, up to `max`. */
export function above(min: number, max: number, texts: FieldTexts<number>): PlanField<number> {
  return {
    ...texts,
    schema: z.number().check(z.gt(min), z.maximum(max)),
    input: { kind: 'number', min, max, step: 'any', open: true },
  };
}

type Bounded = (min: number, max: number, texts: FieldTexts<number>) => PlanField<number>;

/** A number that may also be left unset (`null`). */
export function optional(
  kind: Bounded,
  min: number,
  max: number,
  texts: FieldTexts<number | null>,
): PlanField<number | null> {
  const { schema, input } = kind(min, max, texts as FieldTexts<number>);
  return {
    ...texts,
    schema: z.nullable(schema),
    input: { ...(input as Extract<PlanInput, { kind: 'number' }>), optional: true },
  };
}

/** One of the named options. */
export function choice<const T extends string>(
  options: Readonly<Record<T, Localized | Omit<ChoiceOption, 'value'>>>,
  texts: FieldTexts<NoInfer<T>>,
): PlanField<T> {
  const values = Object.keys(options) as [T, ...T[]];
  const optionOf = (value: T): ChoiceOption => {
    const given = options[value];
    if (!('label' in given)) return { value, label: given };
    const { label, help } = given;
    return { value, label, ...(help === undefined ? {} : { help }) };
  };
  return {
    ...texts,
    schema: z.enum(values) as unknown as z.ZodMiniType<T, T>,
    input: { kind: 'choice', options: values.map(optionOf) },
  };
}
