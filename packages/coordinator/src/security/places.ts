/*
 * A place admits participants: a run, under its id, or a task with its reports, under an id that no run has. One set of
 * modes, lists and invitations serves both.
 */
const TASK = 'task:';

/** The place of a task. */
export function taskPlace(task: string): string {
  return TASK + task;
}

export function isTaskPlace(place: string): boolean {
  return place.startsWith(TASK);
}

/** A place in a sentence, e.g. `run "iris-1"`. */
export function placeTitle(place: string): string {
  return isTaskPlace(place) ? `task "${place.slice(TASK.length)}"` : `run "${place}"`;
}
