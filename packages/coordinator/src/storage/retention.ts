import type { Clock } from '@coppice/ports';
import type { Checkpoint } from '@coppice/protocol';
import type { Storage } from './storage.ts';

/** Rule for the checkpoints of a run that outlive newer ones. */
export interface RetentionRule {
  /** Number of newest ones to keep; the newest of all, which the run resumes from or ended with, always stays. */
  readonly last: number;
  /** Interval of rounds whose checkpoints stay, the initial weights included; 0: none. */
  readonly every: number;
}

/** The losses of a checkpoint by which the best are chosen. */
export interface MeasuredCheckpoint extends Pick<Checkpoint, 'round' | 'central' | 'federated'> {
  /** The median of the participants' own losses; left out or `null`: fewer than five told one. */
  readonly typicalLoss?: number | null;
}

/**
 * The rounds whose checkpoints stay: the last ones, every `every`th, and the best by either evaluation. Of participants'
 * losses the median decides, where there is one: a mean can be moved by one of them.
 */
export function keptRounds(
  checkpoints: readonly MeasuredCheckpoint[],
  { last, every }: RetentionRule,
): Set<number> {
  const newestFirst = checkpoints.toSorted((a, b) => b.round - a.round);
  const kept = new Set(newestFirst.slice(0, Math.max(1, last)).map(({ round }) => round));
  for (const { round } of newestFirst) if (every > 0 && round % every === 0) kept.add(round);
  const losses = [
    ({ central }: MeasuredCheckpoint) => central?.loss,
    ({ federated, typicalLoss }: MeasuredCheckpoint) => typicalLoss ?? federated?.loss,
  ];
  for (const lossOf of losses) {
    let best: { round: number; loss: number } | null = null;
    for (const checkpoint of newestFirst) {
      const { round } = checkpoint;
      const loss = lossOf(checkpoint) ?? Number.POSITIVE_INFINITY;
      if (loss < (best?.loss ?? Number.POSITIVE_INFINITY)) best = { round, loss };
    }
    if (best !== null) kept.add(best.round);
  }
  return kept;
}

/**
 * Storage that deletes checkpoints by a rule in the background, once a newer one is durable.
 *
 * @param released milliseconds for which a checkpoint stays after a channel last named it.
 */
export function withRetention(
  storage: Storage,
  {
    rule,
    released,
    clock,
    failed,
  }: { rule: RetentionRule; released: number; clock: Clock; failed: (thrown: unknown) => void },
): Storage {
  let pruning: Promise<unknown> = Promise.resolve();
  return new Proxy(storage, {
    get(target, key, receiver) {
      if (key === 'commit') {
        return async (commit: Parameters<Storage['commit']>[0]) => {
          await target.commit(commit);
          const { run } = commit.model.checkpoint;
          pruning = pruning.then(() => target.prune(run, rule, clock.now() - released)).catch(failed);
        };
      }
      if (key === 'close') return () => pruning.then(() => target.close());
      return Reflect.get(target, key, receiver);
    },
  });
}
