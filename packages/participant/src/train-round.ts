import { checkNorm, checkValues, norm, normBound, pipelineOf } from '@coppice/federation';
import {
  encodeFrame,
  float32Payload,
  type Layout,
  layoutHash,
  type Metrics,
  type Plan,
  type RoundStart,
  type Task,
  type Update,
} from '@coppice/protocol';
import type { Dataset, TrainingProgress } from '@coppice/training';
import { holdOut } from './holdout.ts';
import { reportedLoss, reportedMetrics, reportedMilliseconds } from './reported.ts';
import type { TrainerHost } from './trainer-host.ts';

export interface RoundWork {
  readonly task: Task;
  readonly plan: Plan;
  readonly layout: Layout;
  readonly participant: string;
  readonly start: RoundStart;
  /** The global weights that came with the round. */
  readonly weights: Float32Array;
  readonly data: Dataset;
  readonly host: TrainerHost;
  readonly signal: AbortSignal;
  readonly onEvaluating: () => void;
  readonly onTraining: (progress: TrainingProgress) => void;
}

export interface RoundWorkResult {
  readonly update: Update;
  readonly evaluation: Metrics;
  /** L2 norm of the update as sent. */
  readonly norm: number;
  /** Examples a second. */
  readonly speed: number;
}

/**
 * A participant's part of a round: measure the received model on held-out examples, train it on the
 * others, and make the update that will be sent.
 *
 * @throws CoppiceError `training-diverged`, `backend-lost`, `backend-unavailable`; `update-norm`,
 *   `update-not-finite`, `update-out-of-range`, `update-examples` where the update would be refused; an `AbortError`
 *   when `signal` was aborted.
 */
export async function trainRound(work: RoundWork): Promise<RoundWorkResult> {
  const { task, plan, layout, participant, start, weights } = work;
  const { training, evaluation } = holdOut(work.data, plan.evaluationShare, participant);
  const description = { topology: task.model, data: task.data, loss: task.loss };
  const { trained, metrics } = await work.host.use(
    description,
    async (trainer) => {
      work.signal.throwIfAborted();
      trainer.setWeights(weights);
      work.onEvaluating();
      const metrics = await trainer.evaluate(evaluation);
      const trained = await trainer.train(
        training,
        {
          epochs: plan.epochs,
          batchSize: plan.batchSize,
          optimizer: plan.optimizer,
          learningRate: plan.learningRate,
          // Not the run's id: two runs of one plan over the same participants give the same model.
          shuffleSeed: `${plan.seed}/${participant}/${start.round}`,
        },
        { onProgress: work.onTraining, signal: work.signal },
      );
      return { trained, metrics };
    },
    { batchSize: plan.batchSize },
  );

  const delta = new Float32Array(weights.length);
  for (let i = 0; i < delta.length; i++) delta[i] = (trained.weights[i] as number) - (weights[i] as number);
  const sent = pipelineOf(plan).onParticipant(delta, {
    layout,
    round: start.round,
    examples: training.count,
  });
  // What the coordinator would refuse stays here: saying so costs less than sending it.
  checkNorm(sent, layout, normBound(plan));
  checkValues(sent, sent.length, training.count);
  const frame = encodeFrame({
    kind: 'update',
    codec: 'float32',
    layoutHash: layoutHash(layout),
    parameters: sent.length,
    payload: float32Payload(sent),
  });
  return {
    update: {
      run: start.run,
      round: start.round,
      attempt: start.attempt,
      checkpoint: start.checkpoint,
      examples: training.count,
      loss: reportedLoss(trained.loss),
      evaluation: reportedMetrics(metrics),
      milliseconds: reportedMilliseconds(trained.milliseconds),
      frame,
    },
    evaluation: metrics,
    norm: norm(sent),
    speed: trained.milliseconds > 0 ? (training.count * plan.epochs * 1000) / trained.milliseconds : 0,
  };
}
