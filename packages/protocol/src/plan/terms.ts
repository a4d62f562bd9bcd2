import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { utf8 } from '../layout.ts';
import { hasAgreedScaling } from '../scaling.ts';
import type { DataSchema, Localized } from '../task.ts';
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
  /** What leaves a device once, where the task's scaling is agreed by its participants; left out: nothing. */
  readonly once?: Localized;
}

const sumsLeave: Localized = {
  en: 'once, before the first round: for each column of numbers the sum of its values and of their squares, and the number of examples',
  zh: '仅一次，在第一轮之前：每个数值列的总和与平方和，以及样本数',
};

/** @param task the numbers of its model, and its data; without data no statement follows from it. */
export function runTerms(task: ModelNumbers & { readonly data?: DataSchema }, plan: Partial<Plan>): RunTerms {
  const { numbers, up } = travelOf({ ...defaultPlan, ...plan }, task);
  const terms = { numbers, bytesPerRound: up, label: consentLabel(plan) };
  return task.data !== undefined && hasAgreedScaling(task.data) ? { ...terms, once: sumsLeave } : terms;
}

/** A hash over terms: two runs with the same one ask for the same. 64 hexadecimal digits. */
export function termsVersion({ numbers, bytesPerRound, label, once }: RunTerms): string {
  return bytesToHex(sha256(utf8(JSON.stringify({ numbers, bytesPerRound, label, once }))));
}
