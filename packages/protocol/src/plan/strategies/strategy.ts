import type { Localized } from '../../task.ts';
import type { PlanField, PlanValues } from '../field.ts';

/** A strategy as plans, forms and flags know it. Its algorithm is in `packages/federation/src/strategies`. */
export interface PlanStrategy {
  readonly label: Localized;
  /** The rule, in one sentence, with its paper. */
  readonly help: Localized;
  /** The capabilities that a participant must have; none for a strategy of the coordinator alone. */
  readonly requires: readonly string[];
  /** Vectors of the model's length that travel beside it each way in a round: down as float32, up as the updates. None by default. */
  readonly vectors?: number;
  /** A value of the plan that cannot go with this strategy, and the values that can; `null`: all can. */
  readonly refuses?: (plan: PlanValues) => { readonly field: string; readonly message: string } | null;
  /**
   * The strategy's own plan fields, valid with this strategy only. Strategies may share a field by its name: then its
   * schema, unit and flag are the same, while its default and texts may differ.
   */
  readonly parameters: Readonly<Record<string, PlanField>>;
}
