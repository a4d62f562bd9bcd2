import { loaded } from './loaded.ts';
import { readPlain } from './planned/read-plain.ts';
import type { ModelDescription } from './trainer.ts';
import type { WeightRole } from './weight-role.ts';

/**
 * The role of each weight of a model, in layout order, for most models without building them.
 *
 * @throws CoppiceError `model-invalid`
 */
export async function rolesOf(description: ModelDescription): Promise<readonly WeightRole[]> {
  const plain = readPlain(description);
  if (plain !== null) return plain.roles;
  const { withBuiltModel } = await loaded(import('./built-model.ts'));
  return withBuiltModel(description, ({ roles }) => roles);
}
