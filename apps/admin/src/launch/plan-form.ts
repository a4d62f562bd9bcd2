import {
  type Plan,
  type PlanDescription,
  type PlanFieldName,
  type PlanValue,
  type PlanValues,
  planDescription,
} from '@coppice/protocol';

/** The content of the form: every field as the text in its input. */
export type PlanTexts = Readonly<Record<PlanFieldName, string>>;

export const planFieldNames = Object.keys(planDescription.fields) as PlanFieldName[];

/** A section of the form for a strategy: only the fields that apply. */
export interface FormSection {
  readonly id: string;
  readonly title: PlanDescription['sections'][number]['title'];
  readonly names: readonly PlanFieldName[];
}

/** The sections with the fields that apply with a strategy, in order. Sections without such fields are left out. */
export function formSections(
  strategy: string,
  description: PlanDescription = planDescription,
): readonly FormSection[] {
  const applicable = new Set(description.namesFor(strategy));
  return description.sections
    .map(({ id, title, names }) => ({
      id,
      title,
      names: names.filter((name) => applicable.has(name)) as PlanFieldName[],
    }))
    .filter(({ names }) => names.length > 0);
}

/** The form after the choice of a strategy: its parameters at the task's defaults, everything else unchanged. */
export function chooseStrategy(
  texts: PlanTexts,
  strategy: string,
  taskPlan: PlanValues,
  description: PlanDescription = planDescription,
): PlanTexts {
  const fresh = textsOf(description.complete(taskPlan, { strategy }), description);
  const entries = Object.keys(description.fields).map((name) => {
    const from = name === 'strategy' || description.strategiesOf(name) !== null ? fresh : texts;
    return [name, from[name as PlanFieldName]];
  });
  return Object.fromEntries(entries) as PlanTexts;
}

/** The values that a request or a form leaves to the task: with a strategy, its parameters; the strategy is the task's own. */
export function taskDefaults(
  taskPlan: PlanValues,
  strategy: string,
  description: PlanDescription = planDescription,
): PlanValues {
  return { ...description.complete(taskPlan, { strategy }), strategy: taskPlan.strategy };
}

/** A problem of a field's text; the page words it. */
export type PlanProblem =
  | { readonly kind: 'missing' | 'not-a-number' | 'not-whole' }
  | { readonly kind: 'range' | 'range-above'; readonly min: number; readonly max: number };

export function textsOf(plan: PlanValues, description: PlanDescription = planDescription): PlanTexts {
  return Object.fromEntries(
    Object.keys(description.fields).map((name) => [name, String(plan[name] ?? '')]),
  ) as PlanTexts;
}

/** Reads one field: its value, or the problem of its text. An empty optional field is `null`. */
export function readField(
  name: string,
  text: string,
  description: PlanDescription = planDescription,
): { readonly ok: true; readonly value: PlanValue } | { readonly ok: false; readonly problem: PlanProblem } {
  const input = description.fields[name]?.input;
  if (input === undefined) return { ok: false, problem: { kind: 'missing' } };
  if (input.kind === 'choice') {
    return input.options.some(({ value }) => value === text)
      ? { ok: true, value: text }
      : { ok: false, problem: { kind: 'missing' } };
  }
  const trimmed = text.trim();
  if (trimmed === '') {
    return input.optional ? { ok: true, value: null } : { ok: false, problem: { kind: 'missing' } };
  }
  const value = Number(trimmed);
  if (!Number.isFinite(value)) return { ok: false, problem: { kind: 'not-a-number' } };
  if (input.step === 1 && !Number.isInteger(value)) return { ok: false, problem: { kind: 'not-whole' } };
  const { min, max, open = false } = input;
  if (value < min || value > max || (open && value === min))
    return { ok: false, problem: { kind: open ? 'range-above' : 'range', min, max } };
  return { ok: true, value };
}

/** Reads the fields that apply with the form's strategy; `plan` is present where there are no problems. */
export function readPlan(
  texts: PlanTexts,
  description: PlanDescription = planDescription,
): {
  readonly plan: Plan | null;
  readonly problems: ReadonlyMap<PlanFieldName, PlanProblem>;
} {
  const problems = new Map<PlanFieldName, PlanProblem>();
  const values: Record<string, PlanValue> = {};
  for (const name of description.namesFor(texts.strategy) as PlanFieldName[]) {
    const field = readField(name, texts[name], description);
    if (field.ok) values[name] = field.value;
    else problems.set(name, field.problem);
  }
  // Each field was read by the description that `Plan` comes from.
  return { plan: problems.size === 0 ? (values as unknown as Plan) : null, problems };
}

/** The fields of a plan that differ from the given values, with the plan's values. */
export function differences(plan: Plan, from: PlanValues): Partial<Plan> {
  return Object.fromEntries(
    planFieldNames
      .filter((name) => plan[name] !== undefined && plan[name] !== from[name])
      .map((name) => [name, plan[name]]),
  );
}
