import type { Policy } from '@coppice/continuity';
import { composed, zcdpEpsilon } from '@coppice/federation';
import type { ReferenceStorage } from '../storage/reference-storage.ts';

export type Privacy = NonNullable<Policy['privacy']>;
type Ledger = Pick<ReferenceStorage, 'spentRho'>;

/** ε of all exchanges of a task whose sums were read, and of so much ρ more, at the policy's δ. */
export async function spentEpsilon(
  ledger: Ledger,
  task: string,
  { delta }: Privacy,
  more = 0,
): Promise<number> {
  return zcdpEpsilon(composed([await ledger.spentRho(task), more]), delta).epsilon;
}

/**
 * True where the budget has room for another exchange. Where candidates are compared it needs room for two: a comparison may
 * be open beside a period, and neither is in the ledger before it is over.
 */
export async function affordsExchange(
  ledger: Ledger,
  task: string,
  { privacy, isCompared }: { readonly privacy: Policy['privacy']; readonly isCompared: boolean },
): Promise<boolean> {
  if (privacy === null) return true;
  const more = (isCompared ? 2 : 1) * privacy.rho;
  return (await spentEpsilon(ledger, task, privacy, more)) <= privacy.epsilon;
}
