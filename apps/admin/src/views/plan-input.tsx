import {
  type Localized,
  type PlanFieldName,
  type PlanValue,
  planDescription,
  planFields,
} from '@coppice/protocol';
import { formatNumber, language, localized } from '@coppice/ui';
import type { PlanProblem } from '../launch/plan-form.ts';
import { planValue } from './plan-table.tsx';
import { text } from './texts.ts';

interface PlanInputProps {
  readonly name: PlanFieldName;
  readonly strategy: string;
  readonly value: string;
  readonly fallback: PlanValue;
  readonly problem: PlanProblem | undefined;
  readonly onInput: (value: string) => void;
}

/** One field of the plan: label, unit, input, problem, help with the consequence of a change, default. */
export function PlanInput({ name, strategy, value, fallback, problem, onInput }: PlanInputProps) {
  const t = text();
  const field = planDescription.fieldOf(name, strategy) ?? planFields[name];
  const { label, help, consequence, input, unit } = field;
  const option = input.kind === 'choice' ? input.options.find((one) => one.value === value) : undefined;
  const explained = [help, ...(option?.help === undefined ? [] : [option.help]), consequence];
  const id = `plan-${name}`;
  const shared = {
    id,
    class: 'input',
    'data-testid': id,
    'aria-describedby': problem === undefined ? `${id}-help` : `${id}-problem ${id}-help`,
    'aria-invalid': problem !== undefined,
    value,
  };
  return (
    <div class="field">
      <label for={id}>
        {localized(label)}
        {unit !== undefined && <span class="quiet"> ({localized(unit)})</span>}
      </label>
      {input.kind === 'choice' ? (
        <select {...shared} onChange={(event) => onInput(event.currentTarget.value)}>
          {input.options.map((option) => (
            <option key={option.value} value={option.value}>
              {localized(option.label)}
            </option>
          ))}
        </select>
      ) : (
        <input {...shared} inputMode="decimal" onInput={(event) => onInput(event.currentTarget.value)} />
      )}
      {problem !== undefined && (
        <p class="problem" id={`${id}-problem`}>
          {problemText(problem)}
        </p>
      )}
      <p class="help" id={`${id}-help`}>
        {sentences(explained)} {t.defaultIs(planValue(name, fallback))}
      </p>
    </div>
  );
}

/** Sentences in the current language, joined. */
function sentences(texts: readonly Localized[]): string {
  return texts.map(localized).join(language.value === 'zh' ? '' : ' ');
}

export function problemText(problem: PlanProblem): string {
  const t = text();
  switch (problem.kind) {
    case 'missing':
      return t.missing;
    case 'not-a-number':
      return t.notNumber;
    case 'not-whole':
      return t.notWhole;
    case 'range-above':
      return t.rangeAbove(
        formatNumber(problem.min, { maximumSignificantDigits: 9 }),
        formatNumber(problem.max),
      );
    case 'range':
      return t.range(formatNumber(problem.min, { maximumSignificantDigits: 9 }), formatNumber(problem.max));
  }
}
