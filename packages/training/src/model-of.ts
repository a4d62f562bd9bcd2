import type { Task } from '@coppice/protocol';
import type { ModelDescription } from './trainer.ts';

/** The parts of a task that describe its model to a trainer. */
export type ModelTask = Pick<
  Task,
  'model' | 'data' | 'loss' | 'huberDelta' | 'classWeights' | 'metrics' | 'threshold'
>;

/** The description of a task's model for a trainer. */
export function modelOf(task: ModelTask): ModelDescription {
  const { model, data, loss, huberDelta, classWeights, metrics, threshold } = task;
  return { topology: model, data, loss, huberDelta, classWeights, metrics, threshold };
}

/** A text that is the same for descriptions that one trainer serves. */
export function modelKey({ topology, data, ...rest }: ModelDescription): string {
  const columns = data.kind === 'table' && data.target.kind !== 'class' ? data.target : null;
  return JSON.stringify([topology, columns, rest]);
}
