import * as z from 'zod/mini';
import { CoppiceError } from '../errors.ts';
import { firstIssue, parseSafely } from '../messages.ts';
import type { Localized } from '../task.ts';
import { type ConsentLabel, consentOf } from './consent.ts';
import type { PlanField, PlanValue, PlanValues, SimulationFacts } from './field.ts';
import type { PlanStrategy } from './strategies/strategy.ts';

/** A section of the plan: a group of fields in the form, in `--help` and in docs/plan.md. */
export interface PlanSection {
  readonly id: string;
  readonly title: Localized;
  readonly fields: Readonly<Record<string, PlanField>>;
}

/** The longest name of a strategy that a participant takes from a coordinator. */
const MAX_STRATEGY_NAME = 64;

type Strategies = Readonly<Record<string, PlanStrategy>>;

/**
 * A set of plan fields, and all that follows from it: schemas, completion by defaults, required capabilities, the
 * consent label, flags. One of the fields is the choice `strategy`; the parameters of each strategy follow it.
 */
export class PlanDescription {
  /** Every field by its name, in the form's order. A parameter of several strategies as the first of them has it. */
  readonly fields: Readonly<Record<string, PlanField>>;
  readonly sections: readonly {
    readonly id: string;
    readonly title: Localized;
    readonly names: readonly string[];
  }[];
  /** A whole plan: every field that applies to its strategy, and no other. */
  readonly schema: z.ZodMiniType<PlanValues, PlanValues>;
  /** Any of the fields. */
  readonly inputSchema: z.ZodMiniType<PlanValues, PlanValues>;
  /**
   * A plan as a coordinator sends it to a participant. The coordinator may be newer: fields and strategies that are
   * not known here are ignored. What a participant must know is in `requiresOf`.
   */
  readonly sentSchema: z.ZodMiniType<PlanValues, Record<string, unknown>>;
  readonly #strategies: Strategies;

  constructor(sections: readonly PlanSection[], strategies: Strategies) {
    this.#strategies = strategies;
    this.sections = sections.map(({ id, title, fields }) => ({
      id,
      title,
      names: Object.keys(fields).flatMap((name) =>
        name === 'strategy' ? [name, ...parameterNames(strategies)] : [name],
      ),
    }));
    const common = Object.assign({}, ...sections.map(({ fields }) => fields)) as Record<string, PlanField>;
    const parameters = Object.assign(
      {},
      ...Object.values(strategies)
        .toReversed()
        .map((strategy) => strategy.parameters),
    ) as Record<string, PlanField>;
    this.fields = Object.fromEntries(
      this.sections.flatMap(({ names }) =>
        names.map((name) => [name, (common[name] ?? parameters[name]) as PlanField]),
      ),
    );
    const schemas = Object.fromEntries(
      Object.entries(this.fields).map(([name, { schema }]) => [
        name,
        this.strategiesOf(name) === null ? schema : z.optional(schema),
      ]),
    ) as Record<string, z.ZodMiniType<PlanValue, PlanValue>>;
    this.inputSchema = z.partial(z.strictObject(schemas));
    this.schema = z.strictObject(schemas).check((payload) => {
      const problem = this.#misfit(payload.value);
      if (problem !== null) payload.issues.push({ code: 'custom', input: payload.value, ...problem });
    });
    this.sentSchema = z.pipe(
      z.record(z.string(), z.unknown()),
      z.transform((sent, payload) => {
        const plan: Record<string, PlanValue> = {};
        for (const [name, field] of Object.entries(this.fields)) {
          if (!Object.hasOwn(sent, name) && this.strategiesOf(name) !== null) continue;
          const schema =
            name === 'strategy' ? z.string().check(z.maxLength(MAX_STRATEGY_NAME)) : field.schema;
          const parsed = parseSafely(schema, Object.hasOwn(sent, name) ? sent[name] : undefined);
          if (parsed.success) plan[name] = parsed.data;
          else
            payload.issues.push({
              code: 'custom',
              path: [name],
              message: firstIssue(parsed.error),
              input: sent,
            });
        }
        return plan;
      }),
    );
  }

  /** The names of the strategies that a parameter belongs to; `null` for a field of every plan. */
  strategiesOf(name: string): readonly string[] | null {
    const owners = Object.keys(this.#strategies).filter((strategy) =>
      Object.hasOwn(this.#strategies[strategy]?.parameters ?? {}, name),
    );
    return owners.length === 0 ? null : owners;
  }

  /** The number of vectors, as long as the model, that travel beside it each way in a round; 0 for an unknown strategy. */
  vectorsOf(strategy: string): number {
    return Object.hasOwn(this.#strategies, strategy) ? (this.#strategies[strategy]?.vectors ?? 0) : 0;
  }

  /** The names of the fields that apply with a strategy, in the form's order. */
  namesFor(strategy: string): readonly string[] {
    return Object.keys(this.fields).filter((name) => this.#applies(name, strategy));
  }

  /** A field as a strategy has it; `undefined` for a name that is unknown or does not apply. */
  fieldOf(name: string, strategy: string): PlanField | undefined {
    if (!Object.hasOwn(this.fields, name) || !this.#applies(name, strategy)) return undefined;
    const own = this.#strategies[strategy]?.parameters ?? {};
    return Object.hasOwn(own, name) ? own[name] : this.fields[name];
  }

  /** The general defaults with a strategy. */
  defaultsFor(strategy: string): PlanValues {
    const entries = this.namesFor(strategy).map((name) => [name, this.fieldOf(name, strategy)?.default]);
    return { ...Object.fromEntries(entries), strategy };
  }

  /**
   * A whole plan: the values given, then the task's defaults, then the general ones. A task's defaults for parameters
   * count only with the task's own strategy.
   *
   * @throws CoppiceError `plan-invalid`, naming the field.
   */
  complete(taskDefaults: PlanValues, given: PlanValues): PlanValues {
    const usual = taskDefaults.strategy ?? this.fields.strategy?.default;
    const strategy = given.strategy ?? usual;
    if (typeof strategy !== 'string' || !Object.hasOwn(this.#strategies, strategy)) {
      const known = Object.keys(this.#strategies).join(', ');
      throw new CoppiceError(
        'plan-invalid',
        `The plan is not valid: strategy: "${String(strategy).slice(0, MAX_STRATEGY_NAME)}" is not one of ${known}.`,
      );
    }
    const inherited = Object.entries(taskDefaults).filter(
      ([name]) => this.strategiesOf(name) === null || (usual === strategy && this.#applies(name, strategy)),
    );
    const chosen = Object.entries(given).filter(([, value]) => value !== undefined);
    const parsed = parseSafely(this.schema, {
      ...this.defaultsFor(strategy),
      ...Object.fromEntries(inherited),
      ...Object.fromEntries(chosen),
    });
    if (parsed.success) return parsed.data;
    throw new CoppiceError('plan-invalid', `The plan is not valid: ${firstIssue(parsed.error)}.`);
  }

  /** The capabilities that a participant must have to take part under a plan, sorted. */
  requiresOf(plan: PlanValues): string[] {
    const strategy = String(plan.strategy);
    const byFields = Object.entries(plan).flatMap(([name, value]) =>
      value === undefined ? [] : (this.fieldOf(name, strategy)?.requires?.(value, plan) ?? []),
    );
    return [...new Set([...(this.#strategies[strategy]?.requires ?? []), ...byFields])].sort();
  }

  /**
   * Every capability that some plan requires, sorted, with the names of the fields that require it. A field's
   * requirements may depend on the value of one other choice.
   */
  capabilities(): ReadonlyMap<string, readonly string[]> {
    const found = new Map<string, Set<string>>();
    const add = (capability: string, name: string) => {
      const names = found.get(capability) ?? new Set();
      found.set(capability, names.add(name));
    };
    for (const [strategy, { requires }] of Object.entries(this.#strategies)) {
      for (const capability of requires) add(capability, 'strategy');
      const base = this.defaultsFor(strategy);
      const names = this.namesFor(strategy);
      const plans = names.flatMap((other) =>
        this.#extremes(other, strategy).map((value) =>
          other === 'strategy' ? base : { ...base, [other]: value },
        ),
      );
      for (const name of names) {
        const requires = this.fieldOf(name, strategy)?.requires;
        if (requires === undefined) continue;
        for (const value of this.#extremes(name, strategy))
          for (const plan of plans) for (const capability of requires(value, plan)) add(capability, name);
      }
    }
    return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, names]) => [key, [...names]]));
  }

  /** The part of the consent label that follows from a plan. */
  consentOf(plan: PlanValues): ConsentLabel {
    return consentOf(plan, (name) => (Object.hasOwn(this.fields, name) ? this.fields[name] : undefined));
  }

  /** The flag of a field, without its dashes, and the placeholder for its value. */
  flagOf(name: string): { readonly name: string; readonly takes: string } {
    const { flag, input } = this.fields[name] as PlanField;
    return {
      name: flag?.name ?? name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
      takes: flag?.takes ?? (input.kind === 'choice' ? 'NAME' : input.step === 1 ? 'N' : 'X'),
    };
  }

  /** The plan that `pnpm simulate` asks for: the values given by flags, and its own defaults. The task's fill the rest. */
  simulated(facts: SimulationFacts): PlanValues {
    const { given } = facts;
    const valueIn = (name: string): PlanValue | undefined => {
      const simulation = this.fields[name]?.simulation;
      if (given[name] !== undefined || simulation === undefined) return given[name];
      return typeof simulation.value === 'function' ? simulation.value(facts) : simulation.value;
    };
    const strategy = String(valueIn('strategy'));
    const names = Object.keys(this.fields).filter(
      (name) => given[name] !== undefined || this.#applies(name, strategy),
    );
    const entries = names.map((name) => [name, valueIn(name)] as const);
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  }

  /** Every option of a choice; the default and both ends of a number's range. */
  #extremes(name: string, strategy: string): readonly PlanValue[] {
    const field = this.fieldOf(name, strategy);
    if (field === undefined) return [];
    const { input } = field;
    if (input.kind === 'choice') return input.options.map(({ value }) => value);
    return [field.default, input.min, input.max];
  }

  #applies(name: string, strategy: string): boolean {
    return this.strategiesOf(name)?.includes(strategy) ?? true;
  }

  /** The first parameter that is missing, is of another strategy than the plan's, or cannot go with it. */
  #misfit(plan: PlanValues): { path: string[]; message: string } | null {
    const strategy = String(plan.strategy);
    for (const name of Object.keys(this.fields)) {
      const owners = this.strategiesOf(name);
      if (owners === null) continue;
      const given = plan[name] !== undefined;
      if (owners.includes(strategy) === given) continue;
      const message = given
        ? `belongs to ${owners.join(', ')} and does not apply to the strategy ${strategy}`
        : `is missing for the strategy ${strategy}`;
      return { path: [name], message };
    }
    const refused = this.#strategies[strategy]?.refuses?.(plan) ?? null;
    return refused === null ? null : { path: [refused.field], message: refused.message };
  }
}

function parameterNames(strategies: Strategies): string[] {
  return [...new Set(Object.values(strategies).flatMap(({ parameters }) => Object.keys(parameters)))];
}
