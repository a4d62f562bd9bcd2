import type { CanaryReason, GateReason, TriggerReason } from '@coppice/continuity';
import { gateChecks } from '@coppice/protocol';

/*
 * Reasons of decisions as firings keep them. They travel as plain JSON, and those of a newer coordinator can be of kinds
 * that this page does not know: such ones are left out.
 */

export type CauseReason = Extract<TriggerReason, { cause: string }>;
type Guard = Extract<CanaryReason, { guard: string }>;
type Fewer = Extract<CanaryReason, { hindrance: 'fewer-participants' }>;
type Fields = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True where each named field is a number. */
function hasNumbers(value: Fields, ...names: readonly string[]): boolean {
  return names.every((name) => typeof value[name] === 'number');
}

function isNumberOrNull(value: unknown): boolean {
  return value === null || typeof value === 'number';
}

const causeNumbers: Readonly<Record<CauseReason['cause'], readonly string[]>> = {
  drift: ['periods'],
  schedule: ['due'],
  'new-examples': ['examples'],
  floor: ['error'],
  'by-hand': [],
};

function isCause(value: unknown): value is CauseReason {
  if (!isObject(value)) return false;
  const { cause } = value;
  if (typeof cause !== 'string' || !Object.hasOwn(causeNumbers, cause)) return false;
  return hasNumbers(value, ...causeNumbers[cause as CauseReason['cause']]);
}

const gateOutcomes = ['passed', 'failed', 'unknown'];
const guardOutcomes = ['worse', 'better', 'no-worse', 'undecided'];

function isGateReason(value: unknown): value is GateReason {
  if (!isObject(value)) return false;
  const { check, outcome, index, difference, value: decides } = value;
  return (
    gateChecks.includes(check as GateReason['check']) &&
    gateOutcomes.includes(outcome as string) &&
    (index === undefined || typeof index === 'number') &&
    isNumberOrNull(difference) &&
    isNumberOrNull(decides) &&
    hasNumbers(value, 'bound')
  );
}

function isGuard(value: unknown): value is Guard {
  return (
    isObject(value) &&
    typeof value['guard'] === 'string' &&
    guardOutcomes.includes(value['outcome'] as string) &&
    hasNumbers(value, 'difference', 'z', 'bound')
  );
}

function isFewer(value: unknown): value is Fewer {
  return (
    isObject(value) &&
    value['hindrance'] === 'fewer-participants' &&
    hasNumbers(value, 'canary', 'control', 'p', 'bound')
  );
}

export const causesOf = (reasons: readonly unknown[]): CauseReason[] => reasons.filter(isCause);
export const gateReasonsOf = (reasons: readonly unknown[]): GateReason[] => reasons.filter(isGateReason);
export const guardsOf = (reasons: readonly unknown[]): Guard[] => reasons.filter(isGuard);

/** The reason that fewer devices of a canary report than chance explains; null: there is none. */
export function fewerOf(reasons: readonly unknown[]): Fewer | null {
  return reasons.find(isFewer) ?? null;
}

/** True where a canary is held since the data of the period are broken. */
export function isHeldByQuality(reasons: readonly unknown[]): boolean {
  return reasons.some((reason) => isObject(reason) && reason['hindrance'] === 'data-quality');
}
