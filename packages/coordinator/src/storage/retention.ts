import type { Checkpoint } from '@coppice/protocol';
import type { Storage } from './storage.ts';

/** Which of a run's checkpoints outlive newer ones. */
export interface RetentionRule {
  /** So many of the newest; the newest of all, which the run goes on from or ended with, is always among them. */
  readonly last: number;
  /** Those of every so many rounds, the first weights included; 0: none for that reason. */
  readonly every: number;
}

/** The rounds whose checkpoints are kept: the last, every so many, and the best by either evaluation. */
export function keptRounds(
  checkpoints: readonly Pick<Checkpoint, 'round' | 'central' | 'federated'>[],
  { last, every }: RetentionRule,
): Set<number> {
  const newestFirst = checkpoints.toSorted((a, b) => b.round - a.round);
  const kept = new Set(newestFirst.slice(0, Math.max(1, last)).map(({ round }) => round));
  for (const { round } of newestFirst) if (every > 0 && round % every === 0) kept.add(round);
  for (const by of ['central', 'federated'] as const) {
    let best: { round: number; loss: number } | null = null;
    for (const { round, [by]: metrics } of newestFirst) {
      const loss = metrics?.loss ?? Number.POSITIVE_INFINITY;
      if (loss < (best?.loss ?? Number.POSITIVE_INFINITY)) best = { round, loss };
    }
    if (best !== null) kept.add(best.round);
  }
  return kept;
}

/** A storage that forgets checkpoints by a rule once a newer one is durable; nobody waits for it to. */
export function withRetention(
  storage: Storage,
  rule: RetentionRule,
  failed: (thrown: unknown) => void,
): Storage {
  let pruning: Promise<unknown> = Promise.resolve();
  return new Proxy(storage, {
    get(target, key, receiver) {
      if (key === 'commit') {
        return async (commit: Parameters<Storage['commit']>[0]) => {
          await target.commit(commit);
          pruning = pruning.then(() => target.prune(commit.model.checkpoint.run, rule)).catch(failed);
        };
      }
      if (key === 'close') return () => pruning.then(() => target.close());
      return Reflect.get(target, key, receiver);
    },
  });
}
