import { describeInput } from '@coppice/datasets';
import {
  type Checkpoint,
  type CheckpointId,
  classesOf,
  type Metrics,
  recipeHash,
  type Task,
  targetColumns,
  targetError,
  targetScaling,
  targetUnit,
} from '@coppice/protocol';

/** The part of a task that its models carry. */
export type DescribedTask = Pick<Task, 'id' | 'title' | 'description' | 'data' | 'loss' | 'licence'>;

/**
 * All that a program needs to use a model, and to say where it comes from: how inputs are made and outputs are read, the
 * task, the checkpoint's origin, its measurements, and the licence. It is `userDefinedMetadata.coppice` of `model.json`,
 * and the metadata of exports.
 *
 * @param from the checkpoint that its run began from; null where the seed drew the first weights, or the run is not known any more.
 */
export function modelMetadata(task: DescribedTask, checkpoint: Checkpoint, from: CheckpointId | null) {
  const { data } = task;
  return {
    checkpoint: checkpoint.hash,
    run: checkpoint.run,
    round: checkpoint.round,
    central: checkpoint.central,
    federated: checkpoint.federated,
    recipe: recipeHash(data),
    task: { id: task.id, title: task.title, description: task.description },
    data,
    input: describeInput(data),
    /** Names of the classes, in the order of the outputs; null for numbers. */
    classes: classesOf(data),
    /** A row of outputs: a probability for each class, the second class's alone (of one sigmoid unit), or the numbers. */
    output: outputKind(task),
    target: targetMetadata(task, checkpoint.central),
    loss: task.loss,
    lineage: { parent: checkpoint.parent, from },
    parameters: checkpoint.parameters,
    createdAt: checkpoint.createdAt,
    licence: task.licence ?? null,
  };
}
export type ModelMetadata = ReturnType<typeof modelMetadata>;

function outputKind({ data, loss }: Pick<Task, 'data' | 'loss'>) {
  if (classesOf(data) === null) return 'values';
  return loss === 'binaryCrossentropy' ? 'second-class-probability' : 'class-probabilities';
}

/**
 * The reading of a regression's outputs: output · scale + mean is the target in its unit, and `error` the root mean square
 * error on test data in that unit, `null` where there is none. Several targets are in `columns`, in the order of the outputs.
 * `null` for classes.
 */
function targetMetadata({ data, loss }: Pick<Task, 'data' | 'loss'>, central: Metrics | null) {
  if (data.kind === 'image' || data.target.kind === 'class') return null;
  const { name } = data.target;
  if (data.target.kind === 'numbers') return { name, columns: targetColumns(data) };
  return {
    name,
    unit: targetUnit(data) ?? null,
    ...targetScaling(data),
    error: targetError(central, { data, loss }),
  };
}
