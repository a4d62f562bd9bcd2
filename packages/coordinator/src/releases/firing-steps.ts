import { decide, type GateEvidence, type Policy } from '@coppice/continuity';
import type { Clock } from '@coppice/ports';
import {
  type CheckpointId,
  CoppiceError,
  PlanInputSchema,
  partsOfCheckpointId,
  type Run,
} from '@coppice/protocol';
import type { Runs } from '../registry/runs.ts';
import { isOver } from '../rounds/machine.ts';
import type { Admissions } from '../security/admissions.ts';
import type { FiringStorage, StoredFiring } from '../storage/firing-storage.ts';
import type { Spending } from '../storage/reference-storage.ts';
import type { Storage } from '../storage/storage.ts';
import { firstCause } from './firing-causes.ts';
import { costOf, numberInQuarter, quarterOf } from './firing-evidence.ts';
import type { FiringEvidence, Step } from './firing-machine.ts';
import { emptyChannel, nameCandidate, release } from './firing-moves.ts';
import { giveUpRun, longestWait } from './firing-run.ts';
import type { PeriodHistory } from './period-history.ts';
import type { Releases } from './releases.ts';

/** The longest that a comparison takes answers, in milliseconds. */
const LONGEST_COMPARISON = 600_000;

/** The least window of a plan, in milliseconds, and the number of them in a day. */
const WINDOW_STEP = 8640;
const WINDOW_STEPS_A_DAY = 10_000;

/** A checkpoint that is compared. */
export interface Compared {
  readonly checkpoint: CheckpointId;
  readonly hash: string;
}

/** A comparison on the participants' examples that are held out. */
export interface AskedComparison {
  readonly task: string;
  /** Grows over all of the task. One that was open before a restart goes on where it is asked for by the same number. */
  readonly number: number;
  readonly production: Compared;
  readonly candidate: Compared;
  /** Milliseconds since 1970: examples from then on are the recent ones. */
  readonly since: number;
  /** False: recent examples alone are compared. */
  readonly older: boolean;
  /** The noise on the sums, and the task's budget; null: none. */
  readonly privacy: Policy['privacy'];
  /** How long answers are taken. */
  readonly milliseconds: number;
  /** Participants below which nothing is told. */
  readonly fewest: number;
}

/** The sums of a comparison. */
interface Summed {
  readonly participants: number;
  readonly evidence: Omit<GateEvidence, 'candidate'>;
  /** Their cost, to be stored with what follows from them; null: they cost nothing. */
  readonly spending: Spending | null;
}

export interface Comparisons {
  /** Resolves once it is closed; to null where fewer answered than asked for, to `budget-spent` where nobody was asked. */
  compare(asked: AskedComparison): Promise<Summed | 'budget-spent' | null>;
  /** Lets a comparison end whose result is stored, or not asked for any more. */
  settled(task: string, number: number): void;
  /** True where the budget of a task has room for another comparison. */
  affords(task: string, privacy: Policy['privacy']): Promise<boolean>;
}

export interface StepDeps {
  readonly storage: FiringStorage & Pick<Storage, 'releases' | 'rounds' | 'latestOfRun' | 'policy'>;
  readonly runs: Pick<Runs, 'create' | 'act' | 'giveUp' | 'all' | 'get' | 'has'>;
  readonly releases: Pick<Releases, 'at' | 'move'>;
  readonly comparisons: Comparisons;
  readonly admissions: Pick<Admissions, 'describe' | 'list' | 'ban'>;
  readonly history: PeriodHistory;
  readonly clock: Clock;
}

/**
 * Carries out a step, or finds that it was carried out before a restart.
 *
 * @returns the evidence that it gives; null where it waits for something else: see `compare` and `lookAtRun`.
 * @throws CoppiceError where the step must be tried again.
 */
export async function carryOut(
  deps: StepDeps,
  firing: StoredFiring,
  step: Step,
): Promise<FiringEvidence | null> {
  switch (step.step) {
    case 'launch':
      return launchInTime(deps, firing);
    case 'name':
      return unlessUnusable(async () => {
        const { at } = await nameCandidate(
          deps,
          firing,
          'candidate',
          `Trained by firing ${firing.sequence}.`,
        );
        const number = numberInQuarter(await ofQuarter(deps, firing, at), at);
        return { kind: 'named', at, number, period: await newestPeriod(deps, firing) };
      });
    case 'begin-canary':
      return unlessUnusable(async () => {
        const { at, sequence } = await nameCandidate(deps, firing, 'canary', canaryReason(firing));
        return { kind: 'canary-began', at, sequence, period: await newestPeriod(deps, firing) };
      });
    case 'close':
      return close(deps, firing);
    default:
      return null;
  }
}

/**
 * Compares a firing's candidate with production, and decides by its gate. Sums whose noise or budget a policy changed while they
 * were taken are not looked at.
 */
export async function compare(
  { comparisons, storage }: { comparisons: Comparisons; storage: Pick<Storage, 'policy'> },
  firing: StoredFiring,
  number: number,
): Promise<FiringEvidence> {
  const { task, production, basis, candidate, hash, since, comparison, rules } = firing;
  const { gate, periodMilliseconds } = rules;
  const privacy = await privacyNow(storage, firing);
  if (gate === null || candidate === null || hash === null || comparison === null)
    throw new Error(`The firing ${firing.sequence} of ${task} has nothing to compare.`);
  const summed = await comparisons.compare({
    task,
    number,
    production: { checkpoint: production, hash: basis.hash },
    candidate: { checkpoint: candidate, hash },
    since,
    older: gate.older !== null,
    privacy,
    milliseconds: Math.min(periodMilliseconds, LONGEST_COMPARISON),
    fewest: gate.fewest,
  });
  if (summed === 'budget-spent') return { kind: 'budget-spent' };
  const isSame = JSON.stringify(await privacyNow(storage, firing)) === JSON.stringify(privacy);
  if (summed === null || !isSame)
    return { kind: 'compared', participants: 0, decision: 'wait', reasons: [], spending: null };
  const { participants, evidence, spending } = summed;
  const { act, why } = decide<'gate'>(gate, { ...evidence, candidate: comparison.candidate });
  return { kind: 'compared', participants, decision: act, reasons: why, spending };
}

/** The noise and the budget of the policy as it is; those of the firing where that has none, since it began with them. */
async function privacyNow(
  storage: Pick<Storage, 'policy'>,
  { task, rules }: StoredFiring,
): Promise<Policy['privacy']> {
  return (await storage.policy(task))?.policy?.privacy ?? rules.privacy;
}

/** A launch that fails is tried again for as long as a round of its run would be waited for, and is given up then. */
async function launchInTime(deps: StepDeps, firing: StoredFiring): Promise<FiringEvidence> {
  try {
    return await launch(deps, firing);
  } catch (thrown) {
    const isLate = deps.clock.now() - firing.at >= longestWait(firing.rules);
    if (!isLate || isOneOf(thrown, 'coordinator-stopping')) throw thrown;
    return { kind: 'launch-refused' };
  }
}

async function launch(deps: StepDeps, firing: StoredFiring): Promise<FiringEvidence> {
  const { runs, admissions, comparisons } = deps;
  const { task, production, rules, sequence } = firing;
  const plan = PlanInputSchema.safeParse(rules.plan);
  if (!plan.success) return { kind: 'launch-refused' };
  const parent = partsOfCheckpointId(production).run;
  let run = runOf(deps, firing);
  // A candidate that could not be compared is not worth its training.
  const isAfforded = async () => comparisons.affords(task, await privacyNow(deps.storage, firing));
  if (run === null && rules.gate !== null && !(await isAfforded())) return { kind: 'budget-spent' };
  try {
    const cause = { by: 'trigger', name: firstCause(firing), firing: sequence } as const;
    const { admission } = await admissions.describe(parent);
    const window = rules.sinceAlarm === true ? { window: daysSince(firing) } : {};
    run ??= await runs.create(task, { ...plan.data, ...window }, false, {
      from: production,
      cause,
      admission,
    });
  } catch (thrown) {
    if (isOneOf(thrown, 'plan-invalid', 'model-invalid', 'checkpoint-unknown', 'checkpoint-mismatch'))
      return { kind: 'launch-refused' };
    throw thrown;
  }
  if (run.status === 'created') {
    await admitAs(deps, parent, run.id);
    await runs.act(run.id, 'start');
  }
  return { kind: 'launched', run: run.id };
}

/** Days from the first of a firing's alarms to the firing, in steps of the plan's window and no shorter than its least. */
function daysSince({ at, since }: Pick<StoredFiring, 'at' | 'since'>): number {
  return Math.max(1, Math.ceil((at - since) / WINDOW_STEP)) / WINDOW_STEPS_A_DAY;
}

/** Those that were admitted to the run in production are admitted to its successor, and nobody else. */
async function admitAs({ admissions }: StepDeps, parent: string, run: string): Promise<void> {
  const { admission, listed, bans } = await admissions.describe(parent);
  const by = 'trigger';
  if (admission !== 'open') {
    const participants = listed.map(({ participant }) => participant);
    await admissions.list(run, participants, { note: `Listed for ${parent}.`, by });
  }
  for (const { participant, run: of, reason } of bans)
    if (of === parent) await admissions.ban({ participant, run, reason }, by);
}

/** The run that a firing launched, whether that is stored with the firing or not. */
function runOf({ runs }: StepDeps, { task, sequence }: StoredFiring): Run | null {
  return (
    runs
      .all()
      .find(({ task: of, cause }) => of === task && cause.by === 'trigger' && cause.firing === sequence) ??
    null
  );
}

async function close(deps: StepDeps, firing: StoredFiring): Promise<FiringEvidence> {
  const { runs, storage, clock } = deps;
  const { ending, sequence } = firing;
  let moved: number | null = null;
  if (ending === 'released') {
    try {
      moved = (await release(deps, firing, releaseReason(firing))).sequence;
    } catch (thrown) {
      if (isOneOf(thrown, 'release-conflict')) return { kind: 'move-refused' };
      if (isOneOf(thrown, 'checkpoint-unknown', 'checkpoint-mismatch')) return { kind: 'candidate-unusable' };
      throw thrown;
    }
  }
  const run = runOf(deps, firing);
  if (run !== null && !isOver(run.status)) {
    if (ending !== 'overtaken') await giveUpRun(runs, firing, run);
    else
      await runs.act(run.id, 'stop').catch((thrown: unknown) => {
        if (!isOneOf(thrown, 'run-ended', 'run-state')) throw thrown;
      });
  }
  const reason = `The firing ${sequence} ended: ${ending}.`;
  await emptyChannel(deps, firing, 'canary', reason);
  await emptyChannel(deps, firing, 'candidate', reason);
  const spent = run === null ? firing.spent : costOf(await storage.rounds(run.id));
  return { kind: 'closed', at: clock.now(), release: moved, spent };
}

/** The last period that is stored; −1: none. */
async function newestPeriod({ history }: StepDeps, { task }: StoredFiring): Promise<number> {
  return (await history.newest(task))?.period ?? -1;
}

/** The firings before one whose comparisons may be of a quarter. */
async function ofQuarter(
  { storage }: StepDeps,
  { task, sequence }: StoredFiring,
  at: number,
): Promise<StoredFiring[]> {
  const found: StoredFiring[] = [];
  for (let before = sequence; ; ) {
    const page = await storage.firings(task, { before });
    found.push(...page);
    const last = page.at(-1);
    // The clock may have gone back: a quarter is looked past.
    if (last === undefined || quarterOf(last.at) < quarterOf(at) - 1) return found;
    before = last.sequence;
  }
}

function canaryReason({ sequence, comparison }: StoredFiring): string {
  return comparison === null
    ? `Trained by firing ${sequence}; the policy has no gate.`
    : `Better than production among ${comparison.participants} participants (firing ${sequence}).`;
}

function releaseReason({ sequence, canary, comparison }: StoredFiring): string {
  if (canary !== null)
    return `The canary was no worse than the control group (firing ${sequence}, ${canary.participants.canary} and ${canary.participants.control} participants).`;
  return comparison === null
    ? `Trained by firing ${sequence}; the policy has neither gate nor canary.`
    : `Better than production among ${comparison.participants} participants (firing ${sequence}); the policy has no canary.`;
}

async function unlessUnusable(work: () => Promise<FiringEvidence>): Promise<FiringEvidence> {
  try {
    return await work();
  } catch (thrown) {
    if (isOneOf(thrown, 'checkpoint-unknown', 'checkpoint-mismatch')) return { kind: 'candidate-unusable' };
    throw thrown;
  }
}

function isOneOf(thrown: unknown, ...codes: readonly string[]): boolean {
  return thrown instanceof CoppiceError && codes.includes(thrown.code);
}
