import { type ParsedRule, type Policy, parsePolicy } from '@coppice/continuity';
import { zcdpEpsilon } from '@coppice/federation';
import type { Clock } from '@coppice/ports';
import {
  type Cause,
  CoppiceError,
  completePlan,
  faultOfTarget,
  firstIssue,
  type Json,
  PlanInputSchema,
  type PolicyInfo,
  type PutPolicy,
  parseSafely,
  type Task,
} from '@coppice/protocol';
import type { Tasks } from '../registry/tasks.ts';
import type { PolicyStorage, StoredPolicy } from '../storage/policy-storage.ts';

/** The exchanges of the first verdict: the two parts of a reference, and a period. */
const FEWEST_EXCHANGES = 3;

/** Those of a gate's first decision: a comparison too, and the next period, which goes on beside it. */
const FEWEST_WITH_GATE = FEWEST_EXCHANGES + 2;

export interface PoliciesOptions {
  readonly storage: PolicyStorage;
  readonly tasks: Pick<Tasks, 'get'>;
  readonly clock: Clock;
}

/** The policies by which tasks are kept good, in all their versions. */
export class Policies {
  readonly #o: PoliciesOptions;
  readonly #listeners = new Set<(policy: StoredPolicy) => void>();

  constructor(options: PoliciesOptions) {
    this.#o = options;
  }

  /** Calls back after every save, once it is stored. Returns the end of it. */
  subscribe(saved: (policy: StoredPolicy) => void): () => void {
    this.#listeners.add(saved);
    return () => void this.#listeners.delete(saved);
  }

  /** The version that holds now. @throws CoppiceError `task-unknown` */
  async get(taskId: string): Promise<PolicyInfo> {
    const task = this.#o.tasks.get(taskId).id;
    const stored = await this.#o.storage.policy(task);
    return stored === null ? { task, version: null, at: null, by: null, policy: null } : stored;
  }

  /**
   * Saves the next version of a task's policy.
   *
   * @throws CoppiceError `task-unknown`; `policy-invalid` for a rule that cannot be; `plan-invalid` for fields that make no
   *   plan of the task; `policy-conflict` where the last version is another than the expected one.
   */
  async save(taskId: string, { expected, policy: given }: PutPolicy, by: Cause): Promise<StoredPolicy> {
    const { storage, tasks, clock } = this.#o;
    const task = tasks.get(taskId);
    const policy = given === null ? null : parsed(given, task);
    const saved = await storage.putPolicy({ task: task.id, expected, at: clock.now(), by, policy });
    for (const listener of this.#listeners) listener(saved);
    return saved;
  }
}

/** The policy as it is kept. A budget is held against the rounds of one launch; its bytes are not known before. */
function parsed(given: Json, task: Pick<Task, 'planDefaults' | 'data' | 'metrics'>): Policy {
  const unknown = { rounds: null, bytes: null, deviceSeconds: null, epsilon: null };
  const { plan } = taken(parsePolicy(given, unknown));
  const fields = parseSafely(PlanInputSchema, plan);
  if (!fields.success)
    throw new CoppiceError('plan-invalid', `The plan is not valid: ${firstIssue(fields.error)}.`);
  const whole = completePlan(task.planDefaults, fields.data);
  const fault = faultOfTarget(whole, task);
  if (fault !== null) throw new CoppiceError('plan-invalid', `The plan is not valid: ${fault}.`);
  const { rounds } = whole;
  const policy = taken(parsePolicy(given, { ...unknown, rounds }));
  ensureBudget(policy);
  return policy;
}

/** Refuses a budget by which nothing could ever be judged. */
function ensureBudget({ privacy, gate }: Policy): void {
  if (privacy === null) return;
  const { rho, epsilon: budget, delta } = privacy;
  const { epsilon } = zcdpEpsilon((gate === null ? FEWEST_EXCHANGES : FEWEST_WITH_GATE) * rho, delta);
  if (epsilon <= budget) return;
  const needed = gate === null ? ' and one period' : ', two periods and a comparison';
  const why = `The two parts of a reference${needed} cost ε = ${epsilon.toFixed(2)} at this rho and delta. State a smaller rho, or a larger budget.`;
  taken({ rule: null, refusal: { name: 'rule-never', field: 'privacy.epsilon', why } });
}

function taken({ rule, refusal }: ParsedRule<Policy>): Policy {
  if (refusal === null) return rule;
  const { name, field, why } = refusal;
  throw new CoppiceError(
    'policy-invalid',
    `The policy was not saved (${field === '' ? name : `${name}, ${field}`}): ${why}`,
  );
}
