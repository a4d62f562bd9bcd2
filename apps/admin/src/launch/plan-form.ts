import { type Plan, type PlanFieldName, type PlanGroup, planFields } from '@coppice/protocol';

/** What is in the form: every field as the text that stands in its input. */
export type PlanTexts = Readonly<Record<PlanFieldName, string>>;

export const planFieldNames = Object.keys(planFields) as PlanFieldName[];
export const planGroups: readonly PlanGroup[] = ['training', 'cohort', 'round', 'update', 'stop'];

/** What is wrong with a field; the page has the words. */
export type PlanProblem =
  | { readonly kind: 'missing' | 'not-a-number' | 'not-whole' }
  | { readonly kind: 'range'; readonly min: number; readonly max: number };

export function textsOf(plan: Readonly<Record<string, string | number | null | undefined>>): PlanTexts {
  return Object.fromEntries(
    planFieldNames.map((name) => {
      const value = plan[name];
      return [name, value === null || value === undefined ? '' : String(value)];
    }),
  ) as Record<PlanFieldName, string>;
}

/** Reads one field: its value, or what is wrong with it. An empty optional field is `null`. */
export function readField(
  name: PlanFieldName,
  text: string,
):
  | { readonly ok: true; readonly value: string | number | null }
  | { readonly ok: false; readonly problem: PlanProblem } {
  const { input } = planFields[name];
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
  const { min, max } = input;
  if (value < min || value > max) return { ok: false, problem: { kind: 'range', min, max } };
  return { ok: true, value };
}

/** Reads the whole form; `plan` is there when nothing is wrong. */
export function readPlan(texts: PlanTexts): {
  readonly plan: Plan | null;
  readonly problems: ReadonlyMap<PlanFieldName, PlanProblem>;
} {
  const problems = new Map<PlanFieldName, PlanProblem>();
  const values: Record<string, string | number | null> = {};
  for (const name of planFieldNames) {
    const field = readField(name, texts[name]);
    if (field.ok) values[name] = field.value;
    else problems.set(name, field.problem);
  }
  // Every field was read by its own description, which is where `Plan` comes from.
  return { plan: problems.size === 0 ? (values as unknown as Plan) : null, problems };
}

/** The fields in which a plan differs from another, with its own values. */
export function differences(
  plan: Plan,
  from: Readonly<Record<string, string | number | null>>,
): Partial<Plan> {
  return Object.fromEntries(
    planFieldNames.filter((name) => plan[name] !== from[name]).map((name) => [name, plan[name]]),
  );
}
