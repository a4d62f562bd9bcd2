import { type CanaryDecision, type CanaryEvidence, type CanaryRule, decideCanary } from './canary.ts';
import { decideGate, type GateEvidence, type GateReason, type GateRule } from './gate.ts';
import type { Decision } from './rule.ts';
import { decideTrigger, type TriggerEvidence, type TriggerReason, type TriggerRule } from './trigger.ts';

/** The rules there are by kind, each with the evidence it takes and the decision it gives. */
export interface Rules {
  readonly trigger: {
    readonly rule: TriggerRule;
    readonly evidence: TriggerEvidence;
    readonly decision: Decision<'launch' | 'wait', TriggerReason>;
  };
  readonly gate: {
    readonly rule: GateRule;
    readonly evidence: GateEvidence;
    readonly decision: Decision<'accept' | 'refuse' | 'wait', GateReason>;
  };
  readonly canary: {
    readonly rule: CanaryRule;
    readonly evidence: CanaryEvidence;
    readonly decision: CanaryDecision;
  };
}

const deciders: {
  readonly [K in keyof Rules]: (
    rule: Rules[K]['rule'],
    evidence: Rules[K]['evidence'],
  ) => Rules[K]['decision'];
} = { trigger: decideTrigger, gate: decideGate, canary: decideCanary };

/** Decides by a rule and the evidence alone: the same evidence has the same decision at any time. */
export function decide<K extends keyof Rules>(
  rule: Rules[K]['rule'] & { readonly kind: K },
  evidence: Rules[K]['evidence'],
): Rules[K]['decision'] {
  return deciders[rule.kind](rule, evidence);
}
