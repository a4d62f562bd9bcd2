import { type PlanDescription, type PlanField, type PlanValue, planDescription } from '@coppice/protocol';
import { type Flag, type FlagGroup, type FlagReader, oneOf, real, whole } from './flag.ts';

/** The text of a flag that leaves an optional plan field unset. */
export const NONE = 'none';

/** The flags of a set of plan fields, in the groups of its sections. */
export function planFlags(description: PlanDescription = planDescription): readonly FlagGroup[] {
  return description.sections.map(({ title, names }) => ({
    title: title.en,
    flags: Object.fromEntries(
      names.map((name) => [description.flagOf(name).name, flagOf(name, description)]),
    ),
  }));
}

/**
 * The flags for a report: plan values by flag name, as on the command line. `null` for a flag that was not given and
 * whose value the task decides, or that only makes simulations repeatable.
 */
export function reportedFlags(
  given: Readonly<Record<string, PlanValue>>,
  plan: Readonly<Record<string, PlanValue | undefined>>,
  description: PlanDescription = planDescription,
): Record<string, PlanValue> {
  const entries = Object.entries(description.fields).map(([name, { simulation }]) => {
    const own = simulation?.repeats === true ? undefined : plan[name];
    const value = given[name] === null ? NONE : (given[name] ?? own ?? null);
    return [description.flagOf(name).name, value];
  });
  return Object.fromEntries(entries);
}

function flagOf(name: string, description: PlanDescription): Flag {
  const field = description.fields[name] as PlanField;
  const only = ownersOf(name, description);
  const options = field.input.kind === 'choice' ? ` One of ${optionsOf(field).join(', ')}.` : '';
  return {
    takes: description.flagOf(name).takes,
    help: `${field.help.en}${options}${only} Default: ${defaultWords(name, description)}.`,
    read: readerOf(field),
  };
}

/** The strategies that a parameter belongs to, as a sentence; empty for one of all strategies. */
function ownersOf(name: string, description: PlanDescription): string {
  const owners = description.strategiesOf(name);
  const all = optionsOf(description.fields['strategy'] as PlanField).length;
  return owners === null || owners.length === all ? '' : ` Only with --strategy ${owners.join(' or ')}.`;
}

function defaultWords(name: string, description: PlanDescription): string {
  const { simulation, default: initial } = description.fields[name] as PlanField;
  if (simulation !== undefined)
    return (
      simulation.words ?? (typeof simulation.value === 'function' ? 'derived' : String(simulation.value))
    );
  const owners = description.strategiesOf(name) ?? [];
  const own = owners.map((strategy) => description.fieldOf(name, strategy)?.default ?? NONE);
  const general =
    new Set(own).size > 1
      ? owners.map((strategy, index) => `${own[index]} with ${strategy}`).join(', ')
      : (initial ?? NONE);
  return `the task's, or ${general}`;
}

/** The reader of a field's flag, with the bounds of its schema. */
export function readerOf(field: PlanField): FlagReader<PlanValue> {
  const { input } = field;
  if (input.kind === 'choice') return oneOf(...optionsOf(field));
  const { min, max, open = false, optional = false } = input;
  const number = input.step === 1 ? whole(min, max) : real(min, max, { open });
  if (!optional) return number;
  return (text) => (text === NONE ? null : number(text));
}

function optionsOf({ input }: PlanField): string[] {
  return input.kind === 'choice' ? input.options.map(({ value }) => value) : [];
}
