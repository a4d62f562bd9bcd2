import { switchTo, useBackend } from './backends.ts';
import { type BuiltModel, buildModel } from './model.ts';
import type { ModelDescription } from './trainer.ts';

/**
 * Lets tfjs build a model in plain JavaScript, reads it, and lets it go.
 *
 * @throws CoppiceError `model-invalid`, and whatever `read` throws.
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
