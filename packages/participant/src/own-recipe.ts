import { CoppiceError, type Joined, type Reply, recipeHash, type UpValue } from '@coppice/protocol';

/**
 * Holds the recipe that came with a run against that of its task as this program reads it. They differ where the task's
 * data has a part that this program does not know: it would train on other numbers than the others.
 *
 * @returns the reply to `join`; a refusal `plan-unsupported` in place of a run with another recipe.
 */
export function withOwnRecipe(reply: Reply<UpValue<'join'>>): Reply<Joined> {
  if (!reply.ok || recipeHash(reply.value.task.data) === reply.value.recipe) return reply;
  const error = new CoppiceError(
    'plan-unsupported',
    "The run's task turns raw data into the model's input in a way that this program does not know. Reload the page, or update the program, to take part.",
  );
  return { ok: false, error: error.toWire() };
}
