import { defaultWatch, type Policy, PolicySchema, parsePolicy } from '@coppice/continuity';
import type { PlanValues } from '@coppice/protocol';
import type { PlanProblem } from '../launch/plan-form.ts';

/* The policy of a task as a form: every number as the text in its input, every optional part with a switch. */

interface NumberField {
  /** Limits in the unit of the input. */
  readonly min: number;
  readonly max: number;
  /** True where `min` itself is not allowed. */
  readonly open?: boolean;
  /** True for whole numbers in the unit of the input. */
  readonly whole?: boolean;
  /** True where an empty input means null. */
  readonly optional?: boolean;
  /** The stored number is that of the input times this; left out: 1. */
  readonly factor?: number;
  /** The text of a form that was never saved. */
  readonly initial: string;
}

const PERCENT = 0.01;
const periods = { min: 1, max: 1000, whole: true } as const;
const cost = { min: 0, open: true, optional: true } as const;

/** The numbers of a policy by their path in it. `period` stands for `periodMilliseconds`, in the unit that `PeriodUnit` says. */
export const numberFields = {
  period: { min: 0, open: true, max: 2_678_400, initial: '1' },
  'watch.threshold': { min: 0, open: true, max: 10, initial: String(defaultWatch.threshold) },
  'watch.every': { min: 2, max: 1_000_000, initial: String(defaultWatch.every) },
  'watch.fewest': { min: 2, max: 10_000, whole: true, initial: String(defaultWatch.fewest) },
  'watch.minimum': { min: 1, max: 10_000, whole: true, initial: String(defaultWatch.minimum) },
  'privacy.rho': { min: 0, open: true, max: 10, initial: '0.005' },
  'privacy.epsilon': { min: 0, open: true, max: 1000, initial: '8' },
  'privacy.delta': { min: 0, open: true, max: 0.1, initial: '0.000001' },
  'trigger.drift.raise': { ...periods, initial: '2' },
  'trigger.drift.clear': { ...periods, initial: '2' },
  'trigger.newExamples': { min: 1, max: 1_000_000_000, whole: true, optional: true, initial: '' },
  'trigger.floor.error': { min: 0, open: true, max: 99.9, factor: PERCENT, initial: '20' },
  'trigger.floor.raise': { ...periods, initial: '2' },
  'trigger.stall': { ...periods, optional: true, initial: '' },
  'trigger.coolDown': { ...periods, initial: '7' },
  'trigger.budget.periods': { ...periods, initial: '30' },
  'trigger.budget.rounds': { ...cost, max: 1_000_000, whole: true, initial: '200' },
  'trigger.budget.bytes': { ...cost, max: 1e9, factor: 1e6, initial: '' },
  'trigger.budget.deviceSeconds': { ...cost, max: 1e9, factor: 60, initial: '' },
  'trigger.budget.epsilon': { ...cost, max: 1000, initial: '' },
  'gate.alpha': { min: 0, open: true, max: 49.9, factor: PERCENT, initial: '5' },
  'gate.older': { min: 0, open: true, max: 99.9, factor: PERCENT, initial: '2' },
  'gate.worst': { min: 0, open: true, max: 99.9, factor: PERCENT, initial: '5' },
  'gate.fewest': { min: 5, max: 100_000, whole: true, initial: '20' },
  'canary.share': { min: 0, open: true, max: 50, factor: PERCENT, initial: '10' },
  'canary.alpha': { min: 0, open: true, max: 49.9, factor: PERCENT, initial: '5' },
  'canary.silence': { min: 0, open: true, max: 49.9, factor: PERCENT, optional: true, initial: '' },
  'canary.participants': { min: 10, max: 10_000_000, whole: true, initial: '200' },
  'canary.margin': { min: 0, open: true, max: 99.9, factor: PERCENT, initial: '2' },
  'canary.periods': { ...periods, initial: '14' },
} as const satisfies Record<string, NumberField>;
export type NumberName = keyof typeof numberFields;
const numberNames = Object.keys(numberFields) as NumberName[];

/** Parts of a policy that can be left out. `watch`: the whole policy. */
export const switchNames = [
  'watch',
  'privacy',
  'trigger',
  'trigger.drift',
  'trigger.floor',
  'sinceAlarm',
  'gate',
  'gate.older',
  'canary',
] as const;
export type SwitchName = (typeof switchNames)[number];

export const periodUnits = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;
export type PeriodUnit = keyof typeof periodUnits;
const unitNames = ['second', 'minute', 'hour', 'day'] as const satisfies readonly PeriodUnit[];

export interface PolicyForm {
  readonly numbers: Readonly<Record<NumberName, string>>;
  readonly on: Readonly<Record<SwitchName, boolean>>;
  readonly unit: PeriodUnit;
  /** A cron line; empty: no schedule. */
  readonly schedule: string;
}

/** A field of the form: one of its numbers, or the schedule. */
export type FieldName = NumberName | 'trigger.schedule';

/** A problem of a field: of its text, or a rule that could never act or always would. */
export type FieldProblem =
  | PlanProblem
  | { readonly kind: 'no-cause' | 'no-schedule' | 'never-due' | 'too-often' }
  | { readonly kind: 'below-cost'; readonly cost: number }
  /** A sentence of the coordinator, in English. */
  | { readonly kind: 'said'; readonly why: string };

export interface ReadPolicy {
  /** Null where monitoring is off, and where there are problems. */
  readonly policy: Policy | null;
  readonly problems: ReadonlyMap<FieldName, FieldProblem>;
}

/**
 * The form of a stored policy. Parts that are off have the values of a new one, so that they can be switched on.
 *
 * @param policy null: monitoring is off; a comparison and a canary are then proposed, launches of the trigger are not.
 */
export function formOf(policy: Policy | null): PolicyForm {
  const unit = unitOf(policy?.periodMilliseconds ?? periodUnits.day);
  const numbers = numberNames.map((name): [NumberName, string] => {
    const { factor = 1, optional = false, initial }: NumberField = numberFields[name];
    const stored =
      name === 'period'
        ? policy === null
          ? undefined
          : policy.periodMilliseconds / periodUnits[unit]
        : at(policy, name);
    if (typeof stored === 'number') return [name, textOf(stored / factor)];
    // An absent limit of a trigger that exists is empty; of one that does not, it is as in a new one.
    return [name, optional && stored === null && isSet(policy, name) ? '' : initial];
  });
  return {
    numbers: Object.fromEntries(numbers) as Record<NumberName, string>,
    on: {
      watch: policy !== null,
      privacy: policy !== null && policy.privacy !== null,
      trigger: policy !== null && policy.trigger !== null,
      'trigger.drift': policy?.trigger == null || policy.trigger.drift !== null,
      'trigger.floor': policy?.trigger != null && policy.trigger.floor !== null,
      sinceAlarm: policy?.sinceAlarm === true,
      gate: policy === null || policy.gate !== null,
      'gate.older': policy?.gate == null || policy.gate.older !== null,
      canary: policy === null || policy.canary !== null,
    },
    unit,
    schedule: policy?.trigger?.schedule ?? '',
  };
}

/** True for fields that a form shows and reads: those of parts that are on. */
export function applies(name: FieldName, { on }: Pick<PolicyForm, 'on'>): boolean {
  if (!on.watch) return false;
  return switchNames.every((part) => !(name === part || name.startsWith(`${part}.`)) || on[part]);
}

/**
 * Reads the form.
 *
 * @param plan the fields of the plan by which the trigger's runs train, and the rounds of such a run.
 */
export function readForm(form: PolicyForm, plan: PlanValues, rounds: number): ReadPolicy {
  if (!form.on.watch) return { policy: null, problems: new Map() };
  const problems = new Map<FieldName, FieldProblem>();
  const value = (name: NumberName): number | null => {
    if (!applies(name, form)) return null;
    const read = readNumber(numberFields[name], form.numbers[name]);
    if (typeof read !== 'object' || read === null) return read;
    problems.set(name, read);
    return null;
  };
  const { on } = form;
  const numbers = Object.fromEntries(numberNames.map((name) => [name, value(name)])) as Record<
    NumberName,
    number | null
  >;
  const part = (name: 'privacy' | 'gate' | 'canary' | 'watch' | 'trigger.budget') =>
    Object.fromEntries(
      numberNames
        .filter((one) => one.startsWith(`${name}.`))
        .map((one) => [one.slice(name.length + 1), numbers[one]]),
    );
  const schedule = form.schedule.trim();
  const input = {
    version: 1,
    periodMilliseconds: Math.round((numbers.period ?? 0) * periodUnits[form.unit]),
    watch: { kind: 'watch', ...part('watch') },
    privacy: on.privacy ? part('privacy') : null,
    trigger: on.trigger
      ? {
          kind: 'trigger',
          drift: on['trigger.drift']
            ? { raise: numbers['trigger.drift.raise'], clear: numbers['trigger.drift.clear'] }
            : null,
          schedule: schedule === '' ? null : schedule,
          newExamples: numbers['trigger.newExamples'],
          floor: on['trigger.floor']
            ? { error: numbers['trigger.floor.error'], raise: numbers['trigger.floor.raise'] }
            : null,
          ...(numbers['trigger.stall'] === null ? {} : { stall: numbers['trigger.stall'] }),
          coolDown: numbers['trigger.coolDown'],
          budget: part('trigger.budget'),
        }
      : null,
    plan,
    ...(on.sinceAlarm ? { sinceAlarm: true } : {}),
    gate: on.gate ? { kind: 'gate', ...part('gate') } : null,
    canary: on.canary ? { kind: 'canary', ...without(part('canary'), 'silence') } : null,
  };
  if (problems.size > 0) return { policy: null, problems };
  const { rule, refusal } = parsePolicy(input, {
    rounds,
    bytes: null,
    deviceSeconds: null,
    epsilon: null,
  });
  if (rule !== null) return { policy: rule, problems };
  problems.set(fieldNamed(refusal.field) ?? 'period', problemOf(refusal, rounds));
  return { policy: null, problems };
}

/** Reads a stored policy; null where there is none, or where it is of a version that this page does not know. */
export function storedPolicy(policy: unknown): Policy | null {
  const { success, data } = PolicySchema.safeParse(policy);
  return success ? data : null;
}

/** The field that a refusal of the coordinator is about, found by its path; null where it names none. */
export function fieldNamed(text: string): FieldName | null {
  if (text === 'trigger.drift') return 'trigger.drift.raise';
  const names = [...numberNames, 'trigger.schedule' as const].filter((name) => name !== 'period');
  const found = names.filter((name) => text.includes(name)).sort((a, b) => b.length - a.length)[0];
  if (found !== undefined) return found;
  return text.includes('periodMilliseconds') ? 'period' : null;
}

function problemOf(
  { name, field, why }: { name: string; field: string; why: string },
  rounds: number,
): FieldProblem {
  if (field === 'trigger.drift') return { kind: 'no-cause' };
  if (field === 'trigger.budget.rounds') return { kind: 'below-cost', cost: rounds };
  if (field === 'trigger.schedule') {
    if (name === 'rule-never') return { kind: 'never-due' };
    return { kind: name === 'rule-always' ? 'too-often' : 'no-schedule' };
  }
  return { kind: 'said', why };
}

function readNumber(field: NumberField, text: string): number | null | PlanProblem {
  const { min, max, open = false, whole = false, optional = false, factor = 1 } = field;
  const trimmed = text.trim();
  if (trimmed === '') return optional ? null : { kind: 'missing' };
  const value = Number(trimmed);
  if (!Number.isFinite(value)) return { kind: 'not-a-number' };
  if (whole && !Number.isInteger(value)) return { kind: 'not-whole' };
  if (value < min || value > max || (open && value === min))
    return { kind: open ? 'range-above' : 'range', min, max };
  return round(value * factor);
}

/** Without the last digits, which a factor such as 0.01 leaves behind. */
function round(value: number): number {
  return Number(value.toPrecision(12));
}

function textOf(value: number): string {
  const rounded = round(value);
  // `String` writes small numbers with an exponent, which people read less well.
  return Math.abs(rounded) < 1e-6 || !String(rounded).includes('e')
    ? String(rounded)
    : rounded.toFixed(12).replace(/0+$/, '');
}

/** The largest unit of which the period is a whole number. */
function unitOf(milliseconds: number): PeriodUnit {
  return unitNames.findLast((unit) => milliseconds % periodUnits[unit] === 0) ?? 'second';
}

/** The value at a path of a policy; undefined where a part on the way is missing. */
function at(policy: Policy | null, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | null | undefined)?.[key], policy);
}

/** True where the part that holds a path exists. */
function isSet(policy: Policy | null, path: string): boolean {
  return at(policy, path.slice(0, path.lastIndexOf('.'))) != null;
}

/** A part of a policy whose optional field is left out where it is empty. */
function without(part: Readonly<Record<string, number | null | undefined>>, optional: string) {
  const { [optional]: value, ...rest } = part;
  return value === null ? rest : part;
}
