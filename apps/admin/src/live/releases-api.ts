import {
  type MoveChannel,
  parseMessage,
  type Releases,
  ReleasesSchema,
  type UndoRelease,
} from '@coppice/protocol';
import { call } from './api.ts';

/* The part of the API for a task's channels. Errors as in `api.ts`. */

/** @param before number of a move: the page holds those before it; left out, the last ones. */
export async function fetchReleases(task: string, before?: number): Promise<Releases> {
  const query = before === undefined ? '' : `?before=${before}`;
  return parseMessage('releases', ReleasesSchema, await call('GET', `/api/tasks/${task}/releases${query}`));
}

export async function moveChannel(task: string, move: MoveChannel): Promise<void> {
  await call('POST', `/api/tasks/${task}/releases`, move);
}

export async function undoRelease(task: string, undo: UndoRelease): Promise<void> {
  await call('POST', `/api/tasks/${task}/releases/undo`, undo);
}
