import { createHash } from 'node:crypto';
import type { Checkpoint, Task } from '@coppice/protocol';
import type { ExportFormat, ModelWorker } from '../model-worker/model-worker.ts';
import { KeptModels } from '../registry/kept-models.ts';
import type { MadeDownload } from './downloads.ts';
import type { ModelMetadata } from './model-metadata.ts';

/** Names of the files beside `weights.bin`. */
export const exportFiles: Readonly<Record<ExportFormat, string>> = {
  float16: 'weights-float16.bin',
  safetensors: 'model.safetensors',
  onnx: 'model.onnx',
};

export const exportFormats: readonly ExportFormat[] = ['float16', 'safetensors', 'onnx'];

/** Raised where a file of the same model comes to have other bytes. */
const FORM = 1;

/** Files of models for other programs: each is made when it is asked for, and kept while there is room. */
export class ExportedModels {
  readonly #models: ModelWorker;
  readonly #kept = new KeptModels<{ payload: Uint8Array }>();

  constructor(models: ModelWorker) {
    this.#models = models;
  }

  /** @param weights loads the checkpoint's float32 weights. */
  download(
    format: ExportFormat,
    task: Task,
    checkpoint: Checkpoint,
    metadata: ModelMetadata,
    weights: () => Promise<Float32Array>,
  ): MadeDownload {
    const facts = {
      name: task.id,
      description: `${task.title.en}, checkpoint ${checkpoint.id}`,
      metadata: { coppice: JSON.stringify(metadata) },
    };
    const named = [FORM, format, checkpoint.hash, ...(format === 'float16' ? [] : [facts])];
    const name = createHash('sha256').update(JSON.stringify(named)).digest('hex');
    return {
      etag: `"${name}"`,
      make: async () => {
        const { payload } = await this.#kept.get(name, async () => ({
          payload: await this.#models.export(task, await weights(), format, facts),
        }));
        return payload;
      },
    };
  }
}
