import {
  type Aggregate,
  type ContributionSize,
  type EncodedRow,
  encodedRows,
  type GlobalModel,
  keepFrozen,
  MODEL_GROUP,
  type Rows,
  type Strategy,
  type StrategyState,
  withFrozenInSteps,
} from '@coppice/federation';
import { type Codec, CoppiceError, FRAME_HEADER_BYTES, type Section, sectionBytes } from '@coppice/protocol';
import type { CohortMember } from '../exchanges/cohort.ts';
import type { Exchange } from '../exchanges/exchange.ts';
import { hashInSlices, toBytes } from '../storage/blobs.ts';
import type { Spool } from '../storage/spool.ts';
import { inTurns, nextTurn } from '../turns.ts';
import { keepVariances } from './keep-variances.ts';

/** A model that a round made, not yet committed. */
export interface NextModel {
  readonly weights: Float32Array;
  readonly hash: string;
  readonly state: StrategyState;
  readonly diagnostics: Readonly<Record<string, number>>;
  /** Running variances that would have been negative, and are zero. */
  readonly variancesKept: number;
}

/**
 * Step 6: the strategy turns the sum, or the rows, into the next global model. A piece of the model a turn of the event
 * loop; nothing is added to the sum meanwhile, since the exchange is closed.
 */
export async function apply(
  round: { readonly number: number; readonly joined: number },
  {
    strategy,
    state,
    model,
    sections,
  }: { strategy: Strategy; state: StrategyState; model: GlobalModel; sections: readonly Section[] },
  exchange: Pick<Exchange, 'sum' | 'cohort'>,
  rows: () => Promise<Rows>,
): Promise<NextModel> {
  const aggregate = await inTurns(exchange.sum.aggregate());
  const section = sections.find(({ group }) => group === MODEL_GROUP);
  const { combine } = strategy.server;
  const moving = combine === undefined ? meanOf(aggregate) : await combine(await rows(), nextTurn);
  const mean = section === undefined ? moving : await inTurns(withFrozenInSteps(moving, section));
  const applied = await inTurns(
    strategy.server.apply(state, {
      round: round.number,
      model,
      mean,
      means: aggregate.means,
      measures: aggregate.measures,
      count: aggregate.count,
      weight: aggregate.weight,
      joined: round.joined,
      sizes: sizesOf(exchange),
    }),
  );
  await inTurns(keepFrozen(model.layout, model.weights, applied.weights));
  const variancesKept = keepVariances(model.layout, applied.weights);
  return { ...applied, variancesKept, hash: await hashInSlices(toBytes(applied.weights)) };
}

/** Members whose answers count, sorted by participant. */
function acceptedOf(cohort: Exchange['cohort']): [string, CohortMember][] {
  return [...cohort.entries()]
    .filter(([, { outcome }]) => outcome === 'accepted')
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

function sizesOf({ cohort }: Pick<Exchange, 'cohort'>): ContributionSize[] {
  return acceptedOf(cohort).map(([, { weight, norms }]) => ({ weight, norms }));
}

function meanOf({ means }: Aggregate): Float64Array {
  const mean = means.get(MODEL_GROUP);
  if (mean === undefined) throw new Error('the layout has no group for the model');
  return mean;
}

/**
 * The accepted changes of the model, read from the spool; sorted by participant. Waits until all of them are there: an
 * exchange closes as soon as enough answers count, which is before the last of them is written.
 *
 * @throws CoppiceError `storage-failed` where one could not be written, or is not there.
 */
export async function spooledRows(
  { cohort }: Pick<Exchange, 'cohort'>,
  {
    run,
    codec,
    sections,
    spool,
  }: { run: string; codec: Codec; sections: readonly Section[]; spool: Pick<Spool, 'frame'> },
): Promise<Rows> {
  const index = sections.findIndex(({ group }) => group === MODEL_GROUP);
  const section = sections[index] as Section;
  const before = sections.slice(0, index).reduce((sum, one) => sum + sectionBytes(codec, one), 0);
  const accepted = acceptedOf(cohort);
  for (const [, { stored }] of accepted) await stored;
  const rows = accepted.map(([participant, { weight, factors }]): EncodedRow => {
    const frame = spool.frame(run, participant);
    if (frame === null)
      throw new CoppiceError(
        'storage-failed',
        'An accepted update is not in the spool. The round begins anew.',
      );
    return {
      weight,
      factors: factors.get(MODEL_GROUP),
      read: (into, at) => frame.read(into, FRAME_HEADER_BYTES + at),
    };
  });
  return encodedRows(rows, { codec, section, before });
}
