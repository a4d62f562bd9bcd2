import {
  checkValues,
  compress,
  float32Values,
  needsFeedback,
  norm,
  normBound,
  pipelineOf,
} from '@coppice/federation';
import { seededRandom } from '@coppice/ports';
import {
  type Checksum,
  encodeFrame,
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
  /** What the codec left out of this participant's last update that counted. */
  readonly residual: Float32Array | null;
  readonly data: Dataset;
  readonly host: TrainerHost;
  /** Of the frame that the update is sent in. */
  readonly checksum: Checksum;
  readonly signal: AbortSignal;
  readonly onEvaluating: () => void;
  readonly onTraining: (progress: TrainingProgress) => void;
}

export interface RoundWorkResult {
  readonly update: Update;
  /** Of the received model; null where the plan keeps no examples for it. */
  readonly evaluation: Metrics | null;
  /** L2 norm of the update as sent. */
  readonly norm: number;
  /** What the codec left out of it; `null` where it leaves nothing out that would not even out. */
  readonly residual: Float32Array | null;
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
      if (evaluation !== null) work.onEvaluating();
      const metrics = evaluation === null ? null : await trainer.evaluate(evaluation);
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
        {
          objective: { scale: 1, pull: plan.proximal, anchor: weights, offset: null },
          onProgress: work.onTraining,
          signal: work.signal,
        },
      );
      return { trained, metrics };
    },
    { batchSize: plan.batchSize },
  );

  const delta = difference(trained.weights, weights, work.residual);
  const context = { layout, round: start.round, examples: training.count };
  const whole = pipelineOf(plan).onParticipant(delta, context);
  // What the coordinator would refuse stays here: saying so costs less than sending it.
  checkValues(float32Values(whole), training.count);
  const { payload, arrives } = compress(plan.uploadCodec, whole, {
    seed: seededRandom(plan.seed, 'codec', participant, start.round).uint32(),
    bound: plan.clipNorm,
    context,
  });
  checkValues(float32Values(arrives), training.count, { layout, bound: normBound(plan) });
  const header = { kind: 'update', codec: plan.uploadCodec, layoutHash: layoutHash(layout) } as const;
  const frame = encodeFrame({ ...header, parameters: whole.length, payload }, work.checksum);
  return {
    update: {
      run: start.run,
      round: start.round,
      attempt: start.attempt,
      checkpoint: start.checkpoint,
      examples: training.count,
      loss: reportedLoss(trained.loss),
      evaluation: metrics === null ? null : reportedMetrics(metrics),
      milliseconds: reportedMilliseconds(trained.milliseconds),
      frame,
    },
    evaluation: metrics,
    norm: norm(arrives),
    residual: needsFeedback(plan.uploadCodec) ? difference(whole, arrives) : null,
    speed: trained.milliseconds > 0 ? (training.count * plan.epochs * 1000) / trained.milliseconds : 0,
  };
}

/** a − b, and what was left out earlier; rounded once. */
function difference(a: Float32Array, b: Float32Array, more: Float32Array | null = null): Float32Array {
  const result = new Float32Array(a.length);
  if (more === null) {
    for (let i = 0; i < a.length; i++) result[i] = (a[i] as number) - (b[i] as number);
  } else {
    for (let i = 0; i < a.length; i++) result[i] = (a[i] as number) - (b[i] as number) + (more[i] as number);
  }
  return result;
}
