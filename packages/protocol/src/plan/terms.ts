import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { utf8 } from '../layout.ts';
import type { ConsentLabel } from './consent.ts';
import { consentLabel, defaultPlan, type Plan } from './plan.ts';
import { type ModelNumbers, travelOf } from './travel.ts';

/** What leaves a device in a run, and what happens to it: what a person consents to. */
export interface RunTerms {
  /** Numbers of one update: the change of every weight that moves, and of every value of the strategy's own vectors. */
  readonly numbers: number;
  /** Bytes of one update: its numbers, as encoded by the plan's codec, and a header. */
  readonly bytesPerRound: number;
  /** The statements that follow from the plan: audience, limit, protection, inference. */
  readonly label: ConsentLabel;
}

export function runTerms(model: ModelNumbers, plan: Partial<Plan>): RunTerms {
  const { numbers, up } = travelOf({ ...defaultPlan, ...plan }, model);
  return { numbers, bytesPerRound: up, label: consentLabel(plan) };
}

/** A hash over terms: two runs with the same one ask for the same. 64 hexadecimal digits. */
export function termsVersion({ numbers, bytesPerRound, label }: RunTerms): string {
  return bytesToHex(sha256(utf8(JSON.stringify({ numbers, bytesPerRound, label }))));
}
