import {
  checkValues,
  countedLoss,
  countedSums,
  emptyTally,
  encodeMeasures,
  float32Values,
  layoutBounds,
  type MeasureForm,
  type Measures,
  measureForm,
  measuresOf,
  metricsOf,
  norm,
  type PipelineKept,
  pipelineOf,
  type StrategyState,
  strategyOf,
  type Tally,
  tallyMeasures,
  withFrozen,
  withoutFrozen,
} from '@coppice/federation';
import { seededRandom } from '@coppice/ports';
import {
  type Ask,
  type Checksum,
  type ContributionLayout,
  CoppiceError,
  contributionBytes,
  contributionHash,
  contributionSize,
  emptyFrame,
  encodeFrame,
  type Measured,
  type Metrics,
  type Plan,
  sealFrame,
  sectionLayout,
  sectionsOf,
  type Task,
} from '@coppice/protocol';
import { modelOf, type TrainingProgress } from '@coppice/training';
import { drawnShare } from './drawn-share.ts';
import { holdOut } from './holdout.ts';
import { learnerOf } from './learner.ts';
import type { OwnDataset } from './local-data.ts';
import { reportedMilliseconds } from './reported.ts';
import type { TrainerHost } from './trainer-host.ts';
import { withinWindow } from './window.ts';

/** The state of strategy and pipeline on this device, after a contribution. */
export interface Kept {
  readonly strategy: StrategyState | null;
  readonly pipeline: PipelineKept;
}

export interface TrainWork {
  readonly task: Task;
  readonly plan: Plan;
  /** Layout of the answer. */
  readonly layout: ContributionLayout;
  readonly participant: string;
  readonly ask: Pick<Ask, 'round'>;
  /** The global weights in the question. */
  readonly weights: Float32Array;
  /** Tensors in the question beside the model, by name. */
  readonly given: Readonly<Record<string, Float32Array>>;
  /** State after this device's last contribution that counted; `null`: none. */
  readonly kept: Kept | null;
  readonly data: OwnDataset;
  /** The device's secret that decides which examples are held out. */
  readonly secret: Uint8Array;
  /** The share of the examples that no plan trains on. */
  readonly heldOut: number;
  /** The time by the coordinator's clock, milliseconds since 1970. */
  readonly now: number;
  readonly host: TrainerHost;
  readonly checksum: Checksum;
  /** Milliseconds since an arbitrary moment. */
  readonly elapsed: () => number;
  readonly signal: AbortSignal;
  readonly onEvaluating: () => void;
  readonly onTraining: (progress: TrainingProgress) => void;
}

/** An answer without its ticket. */
export interface MadeAnswer {
  readonly weight: number;
  readonly milliseconds: number;
  readonly frame: Uint8Array;
}

export interface TrainResult {
  readonly answer: MadeAnswer;
  /** Metrics of the received model on this device's held-out examples; null where there are none, or the plan evaluates nothing. */
  readonly evaluation: Metrics | null;
  /** L2 norm of the model's change as it arrives. */
  readonly norm: number;
  /** State to become current once the answer has counted; `null`: none. */
  readonly kept: Kept | null;
  /** Examples a second. */
  readonly speed: number;
}

/**
 * Answers a question to train: measures the received model on held-out examples, lets the strategy train on the others,
 * and encodes the answer.
 *
 * @throws CoppiceError `data-empty` where no example is in the plan's window; `training-diverged`, `backend-lost`, `backend-unavailable`; `update-norm`, `update-not-finite`,
 *   `update-out-of-range` where the coordinator would refuse the answer; an `AbortError` when `signal` was aborted.
 */
export async function answerTrain(work: TrainWork): Promise<TrainResult> {
  const { task, plan, participant, ask, weights, kept } = work;
  const { training: all, evaluation } = splitOf(work);
  const training = trainedOn(all, work);
  const description = modelOf(task);
  const pipeline = pipelineOf(plan);
  const sections = sectionsOf(work.layout);
  const sectionOf = (group: string) => sections.find((section) => section.group === group);
  let trainingBegan = work.elapsed();
  const { answered, measured } = await work.host.use(
    description,
    async (trainer) => {
      work.signal.throwIfAborted();
      let measured: Measured | null = null;
      if (evaluation !== null) {
        work.onEvaluating();
        trainer.setWeights(weights);
        measured = await trainer.measure(evaluation);
      }
      trainingBegan = work.elapsed();
      const answered = await strategyOf(plan).participant.answer(
        {
          weights,
          how: {
            epochs: plan.epochs,
            batchSize: plan.batchSize,
            optimizer: plan.optimizer,
            learningRate: plan.learningRate,
            // Not the run's id: two runs of one plan over the same participants give the same model.
            shuffleSeed: `${plan.seed}/${participant}/${ask.round}`,
          },
          proximal: plan.proximal,
          given: work.given,
          kept: kept?.strategy ?? null,
          carry: (group) => {
            const [carried, section] = [pipeline.carry(group, kept?.pipeline ?? {}), sectionOf(group)];
            return carried === null || section === undefined ? carried : withFrozen(carried, section);
          },
        },
        learnerOf(trainer, training, { onProgress: work.onTraining, signal: work.signal }),
      );
      return { answered, measured };
    },
    { batchSize: plan.batchSize },
  );
  const milliseconds = work.elapsed() - trainingBegan;
  const form = measureForm(task, plan);
  const trainedTally: Tally = {
    examples: training.count,
    ...countedLoss(answered.trained.lossSum, training.count, form),
    hits: null,
    classes: null,
  };
  // A device that is too small to split says that it measured on none.
  const held = measured === null ? emptyTally(form) : tallyOfMeasured(measured, form);
  const measures: Measures = new Map([
    ...tallyMeasures('train', trainedTally),
    ...(form.heldOut ? tallyMeasures('held', held) : []),
  ]);
  const vectors = new Map(
    [...answered.vectors].map(([group, values]) => {
      const section = sectionOf(group);
      return [group, section === undefined ? values : withoutFrozen(values, section)];
    }),
  );
  // An answer that the coordinator would refuse stays here: saying so costs less than sending it.
  for (const values of vectors.values()) checkValues(float32Values(values), training.count);
  const most = layoutBounds(work.layout);
  const seed = seededRandom(plan.seed, 'codec', participant, ask.round).uint32();
  const { bytes: frame, payload } = emptyFrame(contributionBytes(plan.uploadCodec, sections));
  const encoded = pipeline.onParticipant(vectors, encodeMeasures(measuresOf(work.layout), measures), most, {
    sections,
    round: ask.round,
    seed,
    into: payload,
  });
  const bounds = pipeline.bounds(sections, most);
  for (const section of sections) {
    const values = encoded.arrives.get(section.group);
    const bound = bounds.get(section.group);
    if (values !== undefined)
      checkValues(
        float32Values(values),
        training.count,
        bound === undefined ? undefined : { layout: sectionLayout(section), bound },
      );
  }
  sealFrame(
    frame,
    {
      kind: 'contribution',
      codec: plan.uploadCodec,
      layoutHash: contributionHash(work.layout),
      parameters: contributionSize(work.layout),
    },
    work.checksum,
  );
  const strategyKept = answered.kept?.(encoded.arrives) ?? null;
  const keeps = strategyKept !== null || Object.keys(encoded.kept).length > 0;
  const [model] = encoded.arrives.values();
  return {
    answer: { weight: training.count, milliseconds: reportedMilliseconds(milliseconds), frame },
    evaluation: metricsOf(held, form.metrics),
    norm: model === undefined ? 0 : norm(model),
    kept: keeps ? { strategy: strategyKept, pipeline: encoded.kept } : null,
    speed: milliseconds > 0 ? (training.count * plan.epochs * 1000) / milliseconds : 0,
  };
}

/**
 * Answers a question to measure: the measures of a model on this device's held-out examples.
 *
 * @returns `null` where nothing is held out, or the device has too few examples to split.
 * @throws CoppiceError `backend-lost`, `backend-unavailable`
 */
export async function answerEvaluate(
  work: Pick<
    TrainWork,
    'task' | 'plan' | 'layout' | 'weights' | 'data' | 'secret' | 'heldOut' | 'host' | 'checksum'
  >,
): Promise<{ answer: MadeAnswer; evaluation: Metrics | null } | null> {
  const { task, plan, layout } = work;
  const { evaluation } = splitOf(work);
  if (evaluation === null) return null;
  const description = modelOf(task);
  const measured = await work.host.use(description, (trainer) => {
    trainer.setWeights(work.weights);
    return trainer.measure(evaluation);
  });
  const form = measureForm(task, plan);
  const tally = tallyOfMeasured(measured, form);
  const payload = encodeMeasures(measuresOf(layout), tallyMeasures('held', tally));
  const frame = encodeFrame(
    {
      kind: 'contribution',
      codec: 'float32',
      layoutHash: contributionHash(layout),
      parameters: contributionSize(layout),
      payload: new Uint8Array(payload.buffer),
    },
    work.checksum,
  );
  return { answer: { weight: 1, milliseconds: 0, frame }, evaluation: metricsOf(tally, form.metrics) };
}

/**
 * The split of a device's examples, of which at most `maxExamples` are measured on: a share that the plan's seed draws,
 * the same in every round as long as the examples stay.
 */
function splitOf({ data, secret, heldOut, plan }: Pick<TrainWork, 'data' | 'secret' | 'heldOut' | 'plan'>) {
  const { training, evaluation } = holdOut(data, secret, { task: heldOut, plan: plan.evaluationShare });
  const random = seededRandom(plan.seed, 'measured');
  return {
    training,
    evaluation: evaluation === null ? null : drawnShare(evaluation, plan.maxExamples, random),
  };
}

function tallyOfMeasured(measured: Measured, form: MeasureForm): Tally {
  const { lossSum, examples, hits, perClass, sums } = measured;
  return {
    examples,
    ...countedLoss(lossSum, examples, form),
    hits,
    classes:
      perClass === null
        ? null
        : { examples: perClass.map(({ count }) => count), hits: perClass.map((one) => one.hits) },
    ...(sums === undefined || form.metrics === undefined
      ? {}
      : { sums: countedSums(sums, examples, form.metrics) }),
  };
}

/**
 * The examples of a training share that a plan trains on: those of its window, and at most `maxExamples` of them, drawn
 * anew in each round.
 *
 * @throws CoppiceError `data-empty` where none is in the window.
 */
function trainedOn(
  training: OwnDataset,
  { plan, participant, ask, now }: Pick<TrainWork, 'plan' | 'participant' | 'ask' | 'now'>,
): OwnDataset {
  const { window: days, replayShare, seed, maxExamples } = plan;
  const share = (examples: OwnDataset) =>
    drawnShare(examples, maxExamples, seededRandom(seed, 'share', participant, ask.round));
  if (days === null) return share(training);
  const random = seededRandom(seed, 'replay', participant, ask.round);
  const chosen = withinWindow(training, { days, replayShare, now, random });
  if (chosen.count > 0) return share(chosen);
  throw new CoppiceError(
    'data-empty',
    `No example to train on was added in the last ${days} days, as the run wants. Add new examples, or wait for another run.`,
  );
}
