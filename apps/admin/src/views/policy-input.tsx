import { formatNumber, language } from '@coppice/ui';
import type { ComponentChildren } from 'preact';
import {
  applies,
  type FieldName,
  type FieldProblem,
  type NumberName,
  type PolicyForm,
} from '../monitoring/policy-form.ts';
import { problemText } from './plan-input.tsx';
import { policyFieldText, policyText } from './policy-texts.ts';

/** A form and what shows and changes it. */
export interface FormState {
  readonly form: PolicyForm;
  readonly problems: ReadonlyMap<FieldName, FieldProblem>;
  readonly onChange: (form: PolicyForm) => void;
  /** True for readers that may not change it. */
  readonly isFixed: boolean;
}

/** Numbers of the policy, those that apply. */
export function PolicyInputs({ names, state }: { names: readonly NumberName[]; state: FormState }) {
  return (
    <div class="plan-grid">
      {names
        .filter((name) => applies(name, state.form))
        .map((name) => (
          <PolicyInput
            key={name}
            name={name}
            value={state.form.numbers[name]}
            state={state}
            onInput={(text) =>
              state.onChange({ ...state.form, numbers: { ...state.form.numbers, [name]: text } })
            }
          />
        ))}
    </div>
  );
}

/** One field of the policy: label, input, problem, help. `beside`: another control on its line. */
export function PolicyInput({
  name,
  value,
  state: { problems, isFixed },
  onInput,
  beside,
}: {
  name: FieldName;
  value: string;
  state: FormState;
  onInput: (text: string) => void;
  beside?: ComponentChildren;
}) {
  const { label, help } = policyFieldText(language.value === 'zh')[name];
  const problem = problems.get(name);
  const id = `policy-${name.replaceAll('.', '-')}`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class={beside === undefined ? '' : 'row nowrap tight-row'}>
        <input
          id={id}
          class={name === 'trigger.schedule' ? 'input mono' : 'input'}
          data-testid={id}
          inputMode={name === 'trigger.schedule' ? 'text' : 'decimal'}
          autocomplete="off"
          aria-describedby={problem === undefined ? `${id}-help` : `${id}-problem ${id}-help`}
          aria-invalid={problem !== undefined}
          readOnly={isFixed}
          value={value}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
        {beside}
      </div>
      {problem !== undefined && (
        <p class="problem" id={`${id}-problem`}>
          {fieldProblemText(problem)}
        </p>
      )}
      <p class="help" id={`${id}-help`}>
        {help}
      </p>
    </div>
  );
}

function fieldProblemText(problem: FieldProblem): string {
  const t = policyText();
  switch (problem.kind) {
    case 'no-cause':
      return t.noCause;
    case 'no-schedule':
      return t.noSchedule;
    case 'never-due':
      return t.neverDue;
    case 'too-often':
      return t.tooOften;
    case 'below-cost':
      return t.belowCost(formatNumber(problem.cost));
    case 'said':
      return problem.why;
    default:
      return problemText(problem);
  }
}
