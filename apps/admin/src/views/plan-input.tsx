import { type PlanFieldName, planFields } from '@coppice/protocol';
import { formatNumber, localized } from '@coppice/ui';
import type { PlanProblem } from '../launch/plan-form.ts';
import { planValue } from './plan-table.tsx';
import { text } from './texts.ts';

interface PlanInputProps {
  readonly name: PlanFieldName;
  readonly value: string;
  readonly fallback: string | number | null;
  readonly problem: PlanProblem | undefined;
  readonly onInput: (value: string) => void;
}

/** One field of the plan: label, unit, input, help, default, and what is wrong with it. */
export function PlanInput({ name, value, fallback, problem, onInput }: PlanInputProps) {
  const t = text();
  const { label, help, input, unit } = planFields[name] as (typeof planFields)[PlanFieldName] & {
    unit?: { en: string; zh?: string };
  };
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
        {localized(help)} {t.defaultIs(planValue(name, fallback))}
      </p>
    </div>
  );
}

function problemText(problem: PlanProblem): string {
  const t = text();
  switch (problem.kind) {
    case 'missing':
      return t.missing;
    case 'not-a-number':
      return t.notNumber;
    case 'not-whole':
      return t.notWhole;
    case 'range':
      return t.range(formatNumber(problem.min, { maximumSignificantDigits: 9 }), formatNumber(problem.max));
  }
}
