import {
  firstIssue,
  type PlanDescription,
  type PlanField,
  type PlanValue,
  parseSafely,
} from '@coppice/protocol';
import { UsageError } from './flag.ts';
import { NONE, readerOf } from './plan-flags.ts';

/**
 * Reads `KEY=VALUE` of `--plan`, a field by its name in plans (`serverLearningRate`) or by its flag
 * (`server-learning-rate`).
 *
 * @throws UsageError naming the flag, the field and its valid values.
 */
export function readPlanValue(text: string, description: PlanDescription): readonly [string, PlanValue] {
  const at = text.indexOf('=');
  const key = text.slice(0, Math.max(0, at)).trim();
  const names = Object.keys(description.fields);
  const name = names.find((one) => one === key || description.flagOf(one).name === key);
  if (name === undefined)
    throw new UsageError(
      `--plan KEY=VALUE takes a field of the plan, such as epochs=2, not "${text.slice(0, 80)}". The fields are: ${names.join(', ')}.`,
    );
  const field = description.fields[name] as PlanField;
  const value = text.slice(at + 1).trim();
  try {
    return [name, checked(readerOf(field)(value), field)];
  } catch (cause) {
    const allowsNone = field.input.kind === 'number' && field.input.optional === true;
    throw new UsageError(
      `--plan ${name}=VALUE ${(cause as Error).message}${allowsNone ? ` or ${NONE}` : ''}, not "${value.slice(0, 80)}".`,
      { cause },
    );
  }
}

/** @throws UsageError with the end of a sentence that begins with the flag. */
export function checked(value: PlanValue, field: PlanField): PlanValue {
  const parsed = parseSafely(field.schema, value);
  if (parsed.success) return parsed.data;
  throw new UsageError(`takes another value: ${firstIssue(parsed.error)}`);
}
