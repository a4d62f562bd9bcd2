import { columnSumsLayout, evaluationLayout, trainLayout } from '@coppice/federation';
import {
  agreedColumns,
  awaitsScaling,
  type ContributionLayout,
  CoppiceError,
  contributionHash,
  exchangeKinds,
  type Joined,
  type Reply,
  type UpValue,
} from '@coppice/protocol';

/**
 * Holds the layouts of answers that came with a run against those of its model, task and plan. The other side has no say
 * in how large an answer is, or in what it tells of the examples. Bounds may differ: no layout's hash has them.
 *
 * @returns the reply to `join`; a refusal `message-invalid` in place of a run with other layouts.
 */
export function withOwnLayouts(reply: Reply<UpValue<'join'>>): Reply<Joined> {
  if (!reply.ok) return reply;
  const { layout, task, plan, answers } = reply.value;
  const own: Record<keyof typeof answers, ContributionLayout | undefined> = {
    train: trainLayout(layout, task, plan),
    evaluate: evaluationLayout(task, plan),
    statistics: awaitsScaling(task.data)
      ? columnSumsLayout(agreedColumns(task.data), plan.maxExamples)
      : undefined,
  };
  for (const kind of exchangeKinds) {
    const [sent, made] = [answers[kind], own[kind]].map((one) => one && contributionHash(one));
    if (sent === made || sent?.every((byte, i) => byte === made?.[i])) continue;
    const error = new CoppiceError(
      'message-invalid',
      `The reply to "join" is not valid: its layout of answers to "${kind}" is not that of the run's model, task and plan.`,
    );
    return { ok: false, error: error.toWire() };
  }
  return reply;
}
