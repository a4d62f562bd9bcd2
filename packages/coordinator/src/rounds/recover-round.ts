import { CoppiceError, GRACE_AFTER_RESTART, type Plan } from '@coppice/protocol';
import type { Exchange } from '../exchanges/exchange.ts';
import { failureData, reasonOf } from '../failure.ts';
import { isSpooledRound, type Spool, type SpooledRound } from '../storage/spool.ts';
import { isOver } from './machine.ts';
import type { RunLog } from './run-log.ts';
import type { RunOptions, RunState } from './run-state.ts';
import type { ExchangeTimes } from './train-exchange.ts';

/**
 * The round that an earlier process left open; `null` where there is none. One of another model is forgotten, and so is
 * an attempt whose end is recorded.
 */
export async function spooledRound(
  { record, model }: Pick<RunState, 'record' | 'model'>,
  { spool, attempt: next }: { spool: Pick<Spool, 'recover' | 'drop'>; attempt: number },
  log: RunLog,
): Promise<SpooledRound | null> {
  const spooled = await spool.recover(record.id).catch((thrown: unknown) => {
    const error = CoppiceError.from(thrown);
    if (error.code !== 'storage-corrupt') throw error;
    log.add('error', 'spool-damaged', failureData(reasonOf(error)));
    return null;
  });
  if (spooled === null) return null;
  if (isSpooledRound(spooled)) {
    const { round, attempt, parent } = spooled.opening;
    const isOpen = round === model.round + 1 && parent === model.hash && attempt >= next;
    if (isOpen && !isOver(record.status)) return spooled;
  }
  await spool.drop(record.id);
  return null;
}

/** The rest of the deadline of a round that an earlier process began; members get a while to come back in any case. */
export function timesAfterRestart(
  { startedAt }: SpooledRound['opening'],
  { deadlineSeconds, graceSeconds }: Pick<Plan, 'deadlineSeconds' | 'graceSeconds'>,
  clock: RunOptions['clock'],
): ExchangeTimes {
  const whole = deadlineSeconds * 1000;
  // Only the date is the same in both processes, and it may have been set in between.
  const lasted = Math.min(whole, Math.max(0, clock.now() - startedAt));
  const grace = Math.max(GRACE_AFTER_RESTART, graceSeconds * 1000);
  const now = clock.elapsed();
  return { begin: 'away', beganAt: now - lasted, dueAt: now + Math.max(whole - lasted, grace), grace };
}

/** Counts the answers again that an earlier process acknowledged. The sender of one that is damaged is asked again. */
export async function recount(
  spooled: SpooledRound,
  exchange: Pick<Exchange, 'restore'>,
  log: RunLog,
): Promise<void> {
  const { opening, damage } = spooled;
  if (damage !== null) log.add('error', 'spool-damaged', failureData(reasonOf(damage)));
  for await (const { participant, answer } of spooled.answers()) {
    try {
      await exchange.restore(participant, answer);
    } catch (thrown) {
      const reason = reasonOf(CoppiceError.from(thrown));
      log.add('error', 'spool-damaged', failureData(reason), opening.round);
    }
  }
}
