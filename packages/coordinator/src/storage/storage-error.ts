import { type Cause, type Channel, CoppiceError, type ErrorCode, type Release } from '@coppice/protocol';
import type { StoredPolicy } from './policy-storage.ts';

/** Names of a failure in the system (`code`), SQLite (`errcode`) and PostgreSQL (`code` too: SQLSTATE). */
const causes: readonly {
  code: ErrorCode;
  names: readonly (string | number)[];
  what: string;
  cure: string;
}[] = [
  {
    code: 'storage-full',
    names: ['ENOSPC', 'EDQUOT', 13, '53100'],
    what: 'no space is left',
    cure: 'Free some; what was stored before is unharmed.',
  },
  {
    code: 'storage-read-only',
    names: ['EROFS', 'EACCES', 'EPERM', 8, '25006', '42501'],
    what: 'it may not be written to',
    cure: 'Check its owner and permissions, and that its disk is not mounted read-only.',
  },
  {
    code: 'storage-locked',
    names: [5],
    what: 'another process uses it',
    cure: 'Stop that one first.',
  },
  {
    code: 'storage-corrupt',
    names: [11, 26],
    what: 'it is damaged, or no database',
    cure: 'Restore it from a backup.',
  },
];

/**
 * Converts a failure of a disk or a database; a `CoppiceError` passes unchanged.
 *
 * @param what the component that refused, as the start of a sentence: `The data folder x`.
 */
export function storageError(thrown: unknown, what: string): CoppiceError {
  if (thrown instanceof CoppiceError) return thrown;
  const { code, errcode } = thrown as { code?: unknown; errcode?: unknown };
  // SQLite's extended codes hold the plain one in their lowest byte.
  const name = typeof errcode === 'number' ? errcode & 0xff : code;
  const known = causes.find(({ names }) => names.includes(name as string | number));
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  // A record that is no JSON any more.
  if (thrown instanceof SyntaxError)
    return new CoppiceError(
      'storage-corrupt',
      `${what} refused: a record in it is damaged (${message}). Restore it from a backup.`,
      { cause: thrown },
    );
  if (known !== undefined)
    return new CoppiceError(known.code, `${what} refused: ${known.what} (${message}). ${known.cure}`, {
      cause: thrown,
    });
  return new CoppiceError(
    'storage-failed',
    `${what} refused: ${message}. Nothing was changed; check that it is there, writable and has space.`,
    { cause: thrown },
  );
}

/** The refusal to change a task that is not there. */
export function taskGone(id: string): CoppiceError {
  return new CoppiceError('task-unknown', `There is no task "${id}" in storage. It may have been deleted.`);
}

/** The refusal of a task whose id is taken. */
export function taskExists(id: string): CoppiceError {
  return new CoppiceError('task-exists', `There is a task "${id}" already. Choose another id.`);
}

/** The refusal to store a part of an unknown run. */
export function runGone(id: string): CoppiceError {
  return new CoppiceError('run-unknown', `There is no run "${id}" in storage, so nothing of it was stored.`);
}

/** The refusal to use a checkpoint that is not stored. */
export function checkpointGone(id: string): CoppiceError {
  return new CoppiceError(
    'checkpoint-unknown',
    `There is no checkpoint ${id}, or it was deleted. GET /api/runs/<run>/checkpoints lists those there are.`,
  );
}

/** The refusal of a firing while another one goes on. */
export function firingOpen(task: string): CoppiceError {
  return new CoppiceError(
    'firing-refused',
    `A firing of "${task}" goes on: another begins once it has ended. GET /api/tasks/${task}/firings shows its state.`,
  );
}

/** The refusal of a change of a firing that was changed meanwhile. */
export function firingChanged(task: string, sequence: number): CoppiceError {
  return new CoppiceError(
    'firing-refused',
    `The firing ${sequence} of "${task}" is not as it was when this change was decided on, so nothing was changed. Read it again.`,
  );
}

/** The refusal of a move whose author did not know the channel's last one. */
export function releaseConflict(task: string, channel: Channel, last: Release | null): CoppiceError {
  const state =
    last === null
      ? `The channel ${channel} of "${task}" was never moved`
      : `The channel ${channel} of "${task}" was moved to ${last.checkpoint ?? 'no checkpoint'} by ${authorName(last.by)} at ${new Date(last.at).toISOString()} (release ${last.sequence})`;
  return new CoppiceError(
    'release-conflict',
    `${state}, which this request does not expect, so nothing was changed. Read the releases again, then decide.`,
  );
}

/** The refusal of a policy whose author did not know the last version. */
export function policyConflict(task: string, last: StoredPolicy | null): CoppiceError {
  const state =
    last === null
      ? `No policy of "${task}" was ever saved`
      : `Version ${last.version} of the policy of "${task}" was saved by ${last.by.name || 'an unnamed admin'} at ${new Date(last.at).toISOString()}`;
  return new CoppiceError(
    'policy-conflict',
    `${state}, which this request does not expect, so nothing was changed. Read the policy again, then decide.`,
  );
}

/** The author of a move in a sentence. */
export function authorName(by: Cause): string {
  if (by.by === 'trigger') return `the trigger (${by.name}, firing ${by.firing})`;
  return by.name || 'an unnamed admin';
}
