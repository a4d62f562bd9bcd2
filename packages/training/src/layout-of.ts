import type { Layout } from '@coppice/protocol';
import { loaded } from './loaded.ts';
import { readPlain } from './planned/read-plain.ts';
import type { ModelDescription } from './trainer.ts';

/**
 * The layout of a model's weights, for most models without building them.
 *
 * @throws CoppiceError `model-invalid`
 */
export async function layoutOf(description: ModelDescription): Promise<Layout> {
  const plain = readPlain(description);
  if (plain !== null) return plain.layout;
  const { builtLayout } = await loaded(import('./describe-model.ts'));
  return builtLayout(description);
}
