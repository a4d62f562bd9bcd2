import type { Generated } from 'kysely';

/*
 * The tables as they are now, in the subset of SQL that SQLite and PostgreSQL share: text ids, integer
 * milliseconds, JSON as text. Tensors are blobs; rows hold their hashes. How the tables came about is in
 * `migrations`.
 */
export interface Tables {
  task: { id: string; json: string };
  /** The weights that were given with a task. */
  task_weights: { task: string; hash: string };
  /** Weights that were sent and wait for their task. */
  upload: { hash: string; at: number };
  run: {
    id: string;
    created_at: number;
    task: string;
    /** The order of creation over all runs, unique. */
    sequence: number;
    json: string;
  };
  /** The last number given out, by counter name: see `counters.ts`. */
  counter: { name: string; value: number };
  round: { run: string; round: number; attempt: number; json: string };
  checkpoint: {
    run: string;
    round: number;
    task: string;
    hash: string;
    parent: string | null;
    created_at: number;
    parameters: number;
    central: string | null;
    federated: string | null;
    state_values: string;
    /** JSON: tensor name → blob hash. */
    state_tensors: string;
  };
  event: {
    id: Generated<number>;
    at: number;
    run: string | null;
    round: number | null;
    level: string;
    kind: string;
    message: string;
    /** JSON. */
    data: string | null;
  };
  litter: { hash: string };
  admin: { id: string; name: string; role: string; password: string | null; created_at: number };
  admin_session: {
    id: string;
    hash: string;
    admin: string | null;
    via: string;
    proof: string | null;
    created_at: number;
    last_used_at: number;
    expires_at: number;
    agent: string;
    address: string;
  };
  api_token: {
    id: string;
    hash: string;
    name: string;
    /** JSON. */
    scopes: string;
    admin: string | null;
    created_at: number;
    last_used_at: number | null;
    expires_at: number | null;
  };
  admin_invitation: {
    id: string;
    hash: string;
    kind: string;
    role: string;
    made_by: string;
    created_at: number;
    expires_at: number;
    used_at: number | null;
  };
  audit: {
    id: Generated<number>;
    at: number;
    admin: string | null;
    name: string;
    action: string;
    target: string;
    detail: string;
    address: string;
  };
  run_admission: { run: string; admission: string };
  run_invitation: {
    id: string;
    run: string;
    hash: string;
    label: string;
    made_by: string;
    created_at: number;
    expires_at: number | null;
    uses: number;
    max_uses: number | null;
    revoked_at: number | null;
  };
  listed_participant: {
    run: string;
    participant: string;
    invitation: string | null;
    note: string;
    made_by: string;
    created_at: number;
  };
  ban: {
    id: string;
    participant: string;
    /** Null: from the whole coordinator. */
    run: string | null;
    reason: string;
    made_by: string;
    created_at: number;
  };
  participant: { id: string; first_seen_at: number; last_seen_at: number };
  release_move: {
    task: string;
    /** Number among the moves of the task, from 1. */
    sequence: number;
    channel: string;
    /** Null: the channel was emptied. */
    checkpoint: string | null;
    hash: string | null;
    before: string | null;
    /** Number of the move that it takes back. */
    undoes: number | null;
    at: number;
    /** JSON. */
    cause: string;
    reason: string;
    /** JSON. */
    evidence: string | null;
  };
  watched_period: {
    task: string;
    period: number;
    /** Hash of the reference. */
    reference: string;
    started_at: number;
    ended_at: number;
    reports: number;
    /** JSON; null: too few reports. */
    sums: string | null;
    /** JSON; null: too few reports. */
    verdict: string | null;
    /** Number of the release that was watched; null in periods from before releases were told. */
    release: number | null;
    /** The variance of the noise in each sum. */
    noise: number;
  };
  task_policy: {
    task: string;
    version: number;
    at: number;
    /** JSON. */
    cause: string;
    /** JSON; null: the task is not watched. */
    policy: string | null;
  };
  release_reference: {
    task: string;
    /** Number of the move of production. */
    release: number;
    checkpoint: string;
    hash: string;
    at: number;
    /** JSON: the agreed bins. */
    binning: string;
    /** JSON; null while it is being made. */
    reference: string | null;
  };
  /** ρ of zero-concentrated differential privacy that exchanges of a task cost, by the exchange's name. */
  privacy_spent: { task: string; exchange: string; at: number; rho: number };
  watch_secret: { task: string; secret: string };
  firing: {
    task: string;
    /** Number among those of the task, from 1. */
    sequence: number;
    revision: number;
    state: string;
    /** The whole firing. */
    json: string;
  };
  schema_version: { version: number };
}
