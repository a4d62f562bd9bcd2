import { normaliseFeatures } from '@coppice/datasets';
import type { SavedModel, Session, TrainerHost } from '@coppice/participant';
import type { Comparison, Prediction } from './api.ts';

/** Asks the first and the newest model the same question; `null` while there is none. */
export async function compare(
  session: Session,
  host: TrainerHost,
  features: Uint8Array | Float32Array,
): Promise<Comparison | null> {
  const task = session.state.joined?.task;
  const { first, latest } = session.models();
  if (task === undefined || first === null || latest === null) return null;
  const xs = normaliseFeatures(features, task.data);
  const description = { topology: task.model, data: task.data, loss: task.loss };
  const ask = ({ round, weights }: SavedModel): Promise<Prediction> =>
    host.use(description, async (trainer) => {
      trainer.setWeights(weights);
      return { round, output: [...(await trainer.predict(xs, 1))] };
    });
  const before = await ask(first);
  return { before, after: first === latest ? before : await ask(latest) };
}
