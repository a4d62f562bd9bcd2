import { type Metrics, type Plan, reachesTarget, type StopAt } from '@coppice/protocol';
import { inTurns } from '../turns.ts';
import { apply, spooledRows } from './apply.ts';
import { evaluate } from './evaluate.ts';
import type { OpenRound } from './open-round.ts';
import { type GivenParcel, type PackedModels, packGiven, packModels } from './packed-model.ts';
import type { RoundPhase } from './round-phase.ts';
import { roundStep, type SteppedModel } from './round-step.ts';
import type { RunOptions, RunState } from './run-state.ts';

/** A round's model, evaluated and encoded, not yet committed. */
export interface MadeModel {
  readonly next: SteppedModel;
  readonly central: Metrics | null;
  readonly packed: PackedModels;
  /** The strategy's parcels. */
  readonly given: readonly GivenParcel[];
  /** True for the last round. */
  readonly last: boolean;
}

/**
 * Steps 6 and 7: makes the model of a round whose exchange has closed, and evaluates it.
 *
 * @throws CoppiceError the reason for which the round fails; an `AbortError` where it is already over.
 */
export async function makeModel(
  { opening, exchange, over: { signal } }: OpenRound,
  state: Pick<RunState, 'forms' | 'layoutHash' | 'model' | 'record'>,
  phase: Pick<RoundPhase, 'step'>,
  { models, layout, spool }: Pick<RunOptions, 'models' | 'layout' | 'spool'>,
): Promise<MadeModel> {
  const { forms, layoutHash, model, record } = state;
  const { task, plan } = record;
  const { strategy, train } = forms;
  await exchange.drained();
  signal.throwIfAborted();
  const applied = await apply(
    { number: opening.round, joined: opening.joined },
    { strategy, state: model.state, model: { layout, weights: model.weights }, sections: train.sections },
    exchange,
    () => spooledRows(exchange, { run: record.id, codec: plan.uploadCodec, sections: train.sections, spool }),
  );
  const next = await roundStep(applied, { before: model.weights, layout, plan, round: opening.round });
  signal.throwIfAborted();
  exchange.sum.release();
  phase.step('aggregated');
  const central = await evaluate(models, task, next.weights);
  signal.throwIfAborted();
  phase.step('evaluated');
  const made = { weights: next.weights, round: opening.round };
  const packed = await inTurns(packModels(made, { plan, layout, layoutHash }));
  const given = await inTurns(packGiven(strategy.server.given?.(next.state) ?? {}, layout));
  signal.throwIfAborted();
  return { next, central, packed, given, last: isLast(opening.round, plan, central) };
}

function isLast(round: number, plan: Pick<Plan, 'rounds'> & StopAt, central: Metrics | null): boolean {
  return round >= plan.rounds || reachesTarget(plan, central);
}
