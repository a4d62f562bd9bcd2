import { switchTo, useBackend } from './backends.ts';
import { type BuiltModel, buildModel } from './model.ts';
import type { ModelDescription } from './trainer.ts';

/**
 * Builds a model with tfjs in plain JavaScript, reads it, and disposes of it.
 *
 * @throws CoppiceError `model-invalid`, and any error of `read`.
 */
export async function withBuiltModel<T>(
  description: ModelDescription,
  read: (built: BuiltModel) => T,
): Promise<T> {
  await useBackend('cpu');
  switchTo('cpu');
  const built = await buildModel(description, 0);
  try {
    return read(built);
  } finally {
    built.model.dispose();
  }
}
