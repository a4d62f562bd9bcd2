import { ExactSum } from '@coppice/federation';
import type { Clock } from '@coppice/ports';
import { type ContributionLayout, CoppiceError } from '@coppice/protocol';
import type { AnswerForm } from '../exchanges/answer-form.ts';
import { Exchange, type ExchangeListener } from '../exchanges/exchange.ts';
import { taskExchangeName } from '../exchanges/tickets.ts';
import type { Spool, SpooledExchange } from '../storage/spool.ts';
import { type TaskOpening, taskOwner } from '../storage/task-opening.ts';

/** The form of answers to a task's question. */
export interface TaskForm {
  /** The hash of the binning or the reference that they are made with; null for comparisons. */
  readonly reference: string | null;
  readonly tensors: ContributionLayout;
  /** The layout's hash in hexadecimal digits, as openings have it. */
  readonly layout: string;
  /** The largest L2 norm of an answer that is not refused. */
  readonly norm: number;
  readonly answers: AnswerForm;
}

export interface TaskExchangeOptions {
  readonly form: TaskForm;
  /** The fewest reports with which anything is read of their sum. */
  readonly quorum: number;
  readonly spool: Pick<Spool, 'append' | 'receive'>;
  readonly clock: Clock;
  readonly listener: ExchangeListener;
}

/**
 * An exchange of a task, which any participant may answer once until its deadline. It is not open yet.
 *
 * @throws CoppiceError `storage-corrupt` where the opening has another reference or layout than the form: its answers
 *   cannot be summed.
 */
export function taskExchange(opening: TaskOpening, options: TaskExchangeOptions): Exchange {
  const { form, quorum, clock, ...rest } = options;
  if (opening.reference !== form.reference || opening.layout !== form.layout)
    throw new CoppiceError(
      'storage-corrupt',
      `The ${opening.kind} exchange ${opening.period} of ${opening.task} was opened for reports of another form than this version of Coppice reads. It begins anew; reports that were acknowledged in it do not count.`,
    );
  const now = clock.elapsed();
  const whole = opening.deadlineAt - opening.startedAt;
  // Only the date is the same in two processes, and it may have been set in between.
  const lasted = Math.min(whole, Math.max(0, clock.now() - opening.startedAt));
  return new Exchange({
    owner: taskOwner(opening),
    name: taskExchangeName(opening),
    title: `the ${opening.kind} exchange ${opening.period}`,
    cohort: 'anyone',
    wanted: { target: Number.POSITIVE_INFINITY, quorum },
    begin: 'asked',
    bytes: () => ({ up: 0, down: 0 }),
    beganAt: now - lasted,
    dueAt: now + whole - lasted,
    grace: 0,
    form: form.answers,
    sum: new ExactSum(form.answers.sections),
    limits: new Map(),
    weightCap: () => 1,
    durable: true,
    clock,
    ...rest,
  });
}

/**
 * The exchange that an earlier process left open, with the answers that it acknowledged. It is not open yet; it closes at
 * once where its deadline has passed.
 *
 * @param damaged called for a part of the spool that cannot be read, or an answer that cannot be summed: it does not
 *   count, and its sender may send it again.
 * @throws CoppiceError as `taskExchange`; `storage-failed` where the spool cannot be read.
 */
export async function restoredTaskExchange(
  spooled: SpooledExchange<TaskOpening>,
  options: TaskExchangeOptions,
  damaged: (error: CoppiceError) => void,
): Promise<Exchange> {
  const exchange = taskExchange(spooled.opening, options);
  if (spooled.damage !== null) damaged(spooled.damage);
  for await (const { participant, answer } of spooled.answers()) {
    try {
      await exchange.restore(participant, answer);
    } catch (thrown) {
      damaged(CoppiceError.from(thrown));
    }
  }
  return exchange;
}
