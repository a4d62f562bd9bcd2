import type { Generated } from 'kysely';

/*
 * The tables as they are now, in the subset of SQL that SQLite and PostgreSQL share: text ids, integer
 * milliseconds, JSON as text. Tensors are blobs; rows hold their hashes. How the tables came about is in
 * `migrations`.
 */
export interface Tables {
  task: { id: string; json: string };
  run: { id: string; created_at: number; task: string; json: string };
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
  };
  litter: { hash: string };
  schema_version: { version: number };
}
