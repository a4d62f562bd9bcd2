import { builtInTask } from '@coppice/datasets';
import { recipeHash, type Task, type WatchInfo, weightsHash } from '@coppice/protocol';

/** A task with 131 weights, whose outputs `irisOutputs` computes. */
export const iris = builtInTask('iris') as Task;

/** Weights of the task `iris`, or `size` other ones, different for each version. */
export function weightsOf(version: number, size = 131): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: size }, (_, i) => Math.sin((i + 1) * (version + 1)));
}

/** Probabilities of the task `iris` for scaled features, written out: a layer with ReLU, one with softmax. */
export function irisOutputs(weights: Float32Array, features: readonly number[]): number[] {
  const at = (index: number) => weights[index] as number;
  const hidden = Array.from({ length: 16 }, (_, j) =>
    Math.max(
      0,
      features.reduce((sum, x, i) => sum + x * at(16 * i + j), at(64 + j)),
    ),
  );
  const logits = Array.from({ length: 3 }, (_, k) =>
    hidden.reduce((sum, h, j) => sum + h * at(80 + 3 * j + k), at(128 + k)),
  );
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
  return logits.map((logit) => Math.exp(logit) / total);
}

/** An answer in place of the coordinator's own; `signal` ends the request. */
type Answer = (signal: AbortSignal | undefined) => Response | Promise<Response>;

/** A coordinator with one channel of one task, as a page meets it, with the browser's cache before it. */
export class FakeCoordinator {
  task: Task = iris;
  /** The number of the model's weights. */
  size = 131;
  /** The version that the channel names; null: none. */
  named: number | null = null;
  /** What is said of the task's watch; null: nothing. */
  watch: WatchInfo | null = null;
  /** The recipe that the channel's model is said to be for; null: the task's. */
  recipe: string | null = null;
  /** Changes weights on their way. */
  damage: (weights: Float32Array<ArrayBuffer>) => Float32Array<ArrayBuffer> = (weights) => weights;
  /** The ticket that opens models; null: they are open to everyone. */
  ticket: string | null = null;
  /** Answers everything while it is set. */
  instead: Answer | null = null;
  /** All requests in order: the path, and how the cache is used. */
  readonly asked: string[] = [];
  readonly #kept = new Map<string, { readonly body: string; readonly headers: Headers }>();

  readonly request = async (address: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const path = new URL(String(address)).pathname;
    this.asked.push(`${path} ${init.cache}`);
    const kept = this.#kept.get(path);
    if (init.cache === 'force-cache' && kept !== undefined)
      return new Response(kept.body, { headers: kept.headers });
    if (this.instead !== null) return this.instead(init.signal ?? undefined);
    const isClosed =
      path.startsWith('/models/') &&
      this.ticket !== null &&
      new Headers(init.headers).get('Coppice-Ticket') !== this.ticket;
    const response = isClosed
      ? Response.json({ error: { code: 'run-not-admitted', message: 'Not open.' } }, { status: 403 })
      : this.#answer(path);
    if (response.ok && !path.endsWith('.bin'))
      this.#kept.set(path, { body: await response.clone().text(), headers: response.headers });
    return response;
  };

  #answer(path: string): Response {
    const { id } = this.task;
    if (path === `/api/tasks/${id}/watch` && this.watch !== null)
      return Response.json({ ...this.watch, ofANewerVersion: true });
    if (path === `/api/tasks/${id}`) return Response.json({ ...this.task, ofANewerVersion: true });
    const [, channel] = /^\/models\/[^/]+\/(production|candidate)\/model\.json$/.exec(path) ?? [];
    if (channel !== undefined) {
      if (this.named === null)
        return Response.json({ error: { code: 'checkpoint-unknown', message: 'None.' } }, { status: 404 });
      return Response.json(this.description(this.named), { headers: { ETag: `"${this.named}"` } });
    }
    for (let version = 0; version < 10; version++) {
      const weights = weightsOf(version, this.size);
      const folder = `/models/${id}/${weightsHash(weights)}`;
      if (path === `${folder}/model.json`)
        return Response.json(this.description(version), { headers: { ETag: `"hash ${version}"` } });
      if (path === `${folder}/weights.bin`) return new Response(this.damage(weights));
    }
    return Response.json(
      {
        error: {
          code: path.endsWith('/model.json') ? 'checkpoint-unknown' : 'not-found',
          message: 'Nothing.',
        },
      },
      { status: 404 },
    );
  }

  /** The `model.json` of a version. */
  description(version: number) {
    return {
      format: 'layers-model',
      modelTopology: this.task.model,
      userDefinedMetadata: {
        coppice: {
          checkpoint: weightsHash(weightsOf(version, this.size)),
          run: 'iris-1',
          round: version,
          recipe: this.recipe ?? recipeHash(this.task.data),
        },
      },
    };
  }
}
