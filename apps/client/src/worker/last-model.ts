import type { SavedModel } from '@coppice/participant';
import { CoppiceError, type RunSummary, type Task, weightsHash } from '@coppice/protocol';

/** A model for predictions, with its task. */
export interface AskableModel {
  readonly task: Task;
  readonly model: SavedModel;
}

/**
 * The last models of ended runs: a page opened after the end joins nothing, and is sent no model. That of an open run
 * is fetched by its public URL; that of another is for admitted participants, so it is fetched by `pull`, after proof
 * of identity. Each is fetched once.
 */
export function lastModels(
  pull: (run: string) => Promise<SavedModel>,
  ask: typeof fetch = (...request) => fetch(...request),
) {
  let kept: { checkpoint: string; model: Promise<AskableModel> } | null = null;
  return (run: RunSummary): Promise<AskableModel> => {
    if (kept?.checkpoint !== run.checkpoint) {
      const model = run.admission === 'open' ? fetchLastModel(run, ask) : pullLastModel(run, pull, ask);
      kept = { checkpoint: run.checkpoint, model };
      // The next question tries again.
      model.catch(() => {
        if (kept?.model === model) kept = null;
      });
    }
    return kept.model;
  };
}

async function pullLastModel(
  run: RunSummary,
  pull: (run: string) => Promise<SavedModel>,
  ask: typeof fetch,
): Promise<AskableModel> {
  const [described, model] = await Promise.all([ask(`/api/tasks/${run.task}`).then(answered), pull(run.id)]);
  return { task: (await described.json()) as Task, model };
}

async function fetchLastModel(run: RunSummary, ask: typeof fetch): Promise<AskableModel> {
  const [described, weights] = await Promise.all([
    ask(`/api/tasks/${run.task}`).then(answered),
    ask(`/models/${run.task}/${run.checkpoint}/weights.bin`).then(answered),
  ]);
  const task = (await described.json()) as Task;
  const bytes = await weights.arrayBuffer();
  const whole = bytes.byteLength % 4 === 0;
  const model = {
    round: run.round,
    checkpoint: run.checkpoint,
    weights: new Float32Array(whole ? bytes : new ArrayBuffer(0)),
  };
  // A checkpoint is named by what it holds.
  if (weightsHash(model.weights) !== run.checkpoint) {
    throw new CoppiceError(
      'frame-invalid',
      'The model was damaged on its way here. Ask again to have it sent anew.',
    );
  }
  return { task, model };
}

/** Returns a successful response. @throws CoppiceError the error in the response. */
async function answered(response: Response): Promise<Response> {
  if (response.ok) return response;
  const answer = (await response.json().catch(() => null)) as { error?: unknown } | null;
  throw CoppiceError.fromAnswer(answer?.error);
}
