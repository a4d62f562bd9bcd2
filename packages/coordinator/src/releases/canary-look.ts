import { type ClusterSums, decide, type Guard, guardEvidence } from '@coppice/continuity';
import type { WatchedPeriod } from '@coppice/protocol';
import type { StoredFiring } from '../storage/firing-storage.ts';
import type { FiringEvidence } from './firing-machine.ts';

/** Looks at a canary. @param period null: its time is over, and no reports came. */
export function canaryLook(firing: StoredFiring, period: WatchedPeriod | null): FiringEvidence | null {
  const { canary, canarySince, looked, rules } = firing;
  if (canary === null || canarySince === null || rules.canary === null) return null;
  const { share: _share, ...rule } = rules.canary;
  const number = period?.period ?? looked + 1;
  const sums = period?.sums ?? null;
  const found =
    sums === null
      ? []
      : guardEvidence(
          new Map(Object.entries(sums).map(([name, of]) => [name, Float64Array.from(of)])),
          period?.noise,
        );
  const guards = found.length === 0 ? [nothingSeen] : found;
  const decision = decide<'canary'>(rule, {
    guards,
    looks: canary.looks,
    periods: period === null ? rule.periods : number - canarySince,
    dataQuality: period?.verdict?.quality.alarm === true,
    noise: period?.noise ?? 0,
  });
  const least = (of: (guard: Guard) => ClusterSums) =>
    // Noise on the sums may make a number of participants negative.
    Math.max(0, Math.round(Math.min(...guards.map((guard) => of(guard).clusters))));
  const participants = { canary: least((guard) => guard.canary), control: least((guard) => guard.control) };
  return { kind: 'looked', period: number, decision, participants };
}

const nobody: ClusterSums = { clusters: 0, examples: 0, sum: 0, sumSquares: 0, products: 0, sizeSquares: 0 };
const nothingSeen: Guard = { name: 'error', canary: nobody, control: nobody };
