/**
 * Watches a stream of numbers for a change of its mean. Memory is bounded, and the state is plain JSON: a detector made
 * from it goes on as the one that it came from would have.
 */
export interface Detector<State> {
  /** @returns true where this value raised the alarm. The value after it finds the detector as new. */
  update(value: number): boolean;
  /** A copy. */
  state(): State;
}
