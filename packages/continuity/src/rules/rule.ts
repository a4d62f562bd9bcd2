/** The reasons for which a rule is refused when it is saved. */
export type RuleRefusalName =
  /** Not the shape of a rule. */
  | 'rule-invalid'
  /** It could never act. */
  | 'rule-never'
  /** It would act whatever happened. */
  | 'rule-always';

export interface RuleRefusal {
  readonly name: RuleRefusalName;
  /** The field that makes it so, such as `budget.rounds`. */
  readonly field: string;
  /** The fault, and the remedy. */
  readonly why: string;
}

/** A rule as it is kept, or the reason to refuse it. */
export type ParsedRule<R> =
  | { readonly rule: R; readonly refusal: null }
  | { readonly rule: null; readonly refusal: RuleRefusal };

/** A decision, and every reason for it. */
export interface Decision<Act extends string, Reason> {
  readonly act: Act;
  readonly why: readonly Reason[];
}

/** Refuses a rule that is not of the shape of its schema. */
export function invalid(error: { readonly issues: readonly Issue[] }): ParsedRule<never> {
  const [issue] = error.issues;
  return refused(
    'rule-invalid',
    issue?.path.map(String).join('.') ?? '',
    `${issue?.message ?? 'It is no rule'}.`,
  );
}

export function refused(name: RuleRefusalName, field: string, why: string): ParsedRule<never> {
  return { rule: null, refusal: { name, field, why } };
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}
