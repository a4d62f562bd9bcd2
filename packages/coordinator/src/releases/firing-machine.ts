import type { CanaryDecision, Cost, GateReason } from '@coppice/continuity';
import type { CheckpointId, FiringOutcome, FiringState } from '@coppice/protocol';
import type { StoredFiring } from '../storage/firing-storage.ts';
import type { Spending } from '../storage/reference-storage.ts';

/** The times that a candidate is compared where a comparison could not tell. After the last one it is refused. */
export const MOST_COMPARISONS = 3;

/** The step that a firing waits for. Steps are carried out again after a restart, so each looks for its result first. */
export type Step =
  /** Create the run, and start it. */
  | { readonly step: 'launch' }
  | { readonly step: 'await-run'; readonly run: string }
  /** Let the channel `candidate` name the candidate. */
  | { readonly step: 'name'; readonly candidate: CheckpointId }
  /** Compare it with production. `number` is of this comparison alone among those of the task. */
  | { readonly step: 'compare'; readonly number: number }
  /** Let the channel `canary` name the candidate. */
  | { readonly step: 'begin-canary'; readonly candidate: CheckpointId }
  /** Wait for the next period: of `comparison`, to compare again; of `canary`, to look at it. */
  | { readonly step: 'await-period'; readonly of: 'comparison' | 'canary' }
  /** Move production where it is released, stop its run where that goes on, and empty the other channels. */
  | { readonly step: 'close'; readonly outcome: FiringOutcome }
  | { readonly step: 'none' };

/** What was found out, or done. Times are milliseconds since 1970. */
export type FiringEvidence =
  | { readonly kind: 'launched'; readonly run: string }
  /** The run cannot be created: the plan, or the checkpoint, is refused. */
  | { readonly kind: 'launch-refused' }
  /** The run finished; null: without a committed round. */
  | {
      readonly kind: 'run-finished';
      readonly candidate: { readonly id: CheckpointId; readonly hash: string } | null;
      readonly spent: Cost;
    }
  /** A round of the run is waited for since then; null: an admin has paused the run. */
  | { readonly kind: 'run-awaited'; readonly since: number | null }
  /** The run made no round for too long. */
  | { readonly kind: 'run-stalled' }
  /** The coordinator paused the run. */
  | { readonly kind: 'run-paused' }
  /** The run was stopped, or failed. */
  | { readonly kind: 'run-ended' }
  /** The channel `candidate` names it; `number` is its place among the candidates of the quarter, `period` the last that is stored, −1: none. */
  | { readonly kind: 'named'; readonly at: number; readonly number: number; readonly period: number }
  | {
      readonly kind: 'compared';
      readonly participants: number;
      readonly decision: 'accept' | 'refuse' | 'wait';
      readonly reasons: readonly GateReason[];
      /** The cost of its sums, to be stored with it; null: they cost nothing. */
      readonly spending: Spending | null;
    }
  /** The privacy budget has no room for a comparison. */
  | { readonly kind: 'budget-spent' }
  /** A later period is over. */
  | { readonly kind: 'compare-again'; readonly period: number }
  /** The channel `canary` names it; `period`: the last that is stored, −1: none. */
  | { readonly kind: 'canary-began'; readonly at: number; readonly sequence: number; readonly period: number }
  | {
      readonly kind: 'looked';
      readonly period: number;
      readonly decision: CanaryDecision;
      readonly participants: { readonly canary: number; readonly control: number };
    }
  /** An admin moved production, or the channel of its canary, before its end was decided. */
  | { readonly kind: 'overtaken' }
  /** Its own move of production is refused, since an admin moved it first. */
  | { readonly kind: 'move-refused' }
  /** A channel cannot name the candidate: its checkpoint is gone, or the task has another model today. */
  | { readonly kind: 'candidate-unusable' }
  | { readonly kind: 'closed'; readonly at: number; readonly release: number | null; readonly spent: Cost };

/** The step that a stored firing waits for. */
export function stepOf(firing: StoredFiring): Step {
  const { state, ending, run, candidate, comparison, canary, isNamed } = firing;
  if (state === 'ended') return { step: 'none' };
  if (ending !== null) return { step: 'close', outcome: ending };
  if (state === 'launching') return { step: 'launch' };
  if (state === 'training') return { step: 'await-run', run: run as string };
  if (state === 'canary')
    return canary === null
      ? { step: 'begin-canary', candidate: candidate as CheckpointId }
      : { step: 'await-period', of: 'canary' };
  if (!isNamed) return { step: 'name', candidate: candidate as CheckpointId };
  return comparison?.decision === 'wait'
    ? { step: 'await-period', of: 'comparison' }
    : { step: 'compare', number: numberOf(firing) };
}

/** The number of the open comparison: grows over all of the task, and none comes again. */
function numberOf({ sequence, comparisons }: StoredFiring): number {
  return (sequence - 1) * MOST_COMPARISONS + comparisons;
}

type Change = Partial<StoredFiring>;
type Kind = FiringEvidence['kind'];
type Transition<K extends Kind> = (firing: StoredFiring, evidence: FiringEvidence & { kind: K }) => Change;

const overtaken = (): Change => ({ ending: 'overtaken' });

/** What evidence does in a state; evidence without an entry does not concern it. */
const table: { readonly [S in FiringState]: { readonly [K in Kind]?: Transition<K> } } = {
  launching: {
    launched: (_, { run }) => ({ state: 'training', run }),
    'launch-refused': () => ({ ending: 'run-ended' }),
    'budget-spent': () => ({ ending: 'budget-spent' }),
    overtaken,
  },
  training: {
    'run-finished': (_, { candidate, spent }) =>
      candidate === null
        ? { spent, ending: 'run-ended' }
        : { spent, state: 'comparing', candidate: candidate.id, hash: candidate.hash },
    'run-awaited': ({ waitsSince }, { since }) => (since === waitsSince ? {} : { waitsSince: since }),
    'run-stalled': () => ({ ending: 'run-stalled' }),
    'run-paused': () => ({ ending: 'run-paused' }),
    'run-ended': () => ({ ending: 'run-ended' }),
    overtaken,
  },
  comparing: {
    named: (firing, { at, number, period }) => {
      if (firing.isNamed) return {};
      if (firing.rules.gate === null) return { isNamed: true, ...accepted(firing) };
      return {
        isNamed: true,
        looked: period,
        comparisons: 1,
        comparison: { startedAt: at, candidate: number, participants: 0, decision: null, reasons: [] },
      };
    },
    compared: (firing, { participants, decision, reasons }) => {
      if (firing.comparison === null || firing.comparison.decision !== null) return {};
      const comparison = {
        ...firing.comparison,
        participants,
        decision,
        reasons: structuredClone([...reasons]),
      };
      if (decision === 'accept') return { comparison, ...accepted(firing) };
      const isOver = decision === 'refuse' || firing.comparisons >= MOST_COMPARISONS;
      return { comparison, ...(isOver ? { ending: 'refused' } : {}) };
    },
    'compare-again': ({ comparison, comparisons, looked }, { period }) =>
      comparison?.decision === 'wait' && period > looked
        ? { comparison: { ...comparison, decision: null }, comparisons: comparisons + 1, looked: period }
        : {},
    'budget-spent': ({ comparison }) => (comparison?.decision === null ? { ending: 'budget-spent' } : {}),
    'candidate-unusable': ({ state }) => unusable(state),
    overtaken,
  },
  canary: {
    'canary-began': ({ canary }, { at, sequence, period }) =>
      canary === null
        ? {
            canary: {
              sequence,
              startedAt: at,
              looks: [],
              participants: { canary: 0, control: 0 },
              decision: null,
              reasons: [],
            },
            canarySince: period,
            looked: period,
          }
        : {},
    looked: ({ canary, looked }, { period, decision: { act, why, look }, participants }) => {
      if (canary === null || period <= looked) return {};
      return {
        looked: period,
        canary: {
          ...canary,
          ...(look === null ? {} : { looks: [...canary.looks, look], participants }),
          decision: act === 'hold' ? null : act,
          reasons: structuredClone([...why]),
        },
        ...(act === 'hold' ? {} : { ending: act === 'promote' ? 'released' : 'rolled-back' }),
      };
    },
    'candidate-unusable': ({ state }) => unusable(state),
    overtaken,
  },
  ended: {},
};

function unusable(state: FiringState): Change {
  return { ending: state === 'canary' ? 'rolled-back' : 'run-ended' };
}

/** A candidate that passed the gate, or that no gate holds. */
function accepted({ rules }: StoredFiring): Change {
  return rules.canary === null ? { ending: 'released' } : { state: 'canary' };
}

/**
 * The firing after new evidence, to be stored before its next step is carried out.
 *
 * @returns `null` where the evidence changes nothing: it is of a state that is past, or came before.
 */
export function next(firing: StoredFiring, evidence: FiringEvidence): StoredFiring | null {
  const change = changeOf(firing, evidence);
  return change === null || Object.keys(change).length === 0 ? null : { ...firing, ...change };
}

function changeOf(firing: StoredFiring, evidence: FiringEvidence): Change | null {
  const { state, ending } = firing;
  if (ending === null || state === 'ended') {
    const transition = table[state][evidence.kind] as Transition<Kind> | undefined;
    return transition?.(firing, evidence) ?? null;
  }
  if (evidence.kind === 'closed') {
    const { at, release, spent } = evidence;
    return { state: 'ended', outcome: ending, endedAt: at, release, spent };
  }
  if (ending !== 'released') return null;
  if (evidence.kind === 'move-refused') return overtaken();
  return evidence.kind === 'candidate-unusable' ? unusable(state) : null;
}
