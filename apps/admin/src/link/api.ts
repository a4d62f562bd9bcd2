import {
  type Checkpoint,
  CheckpointSchema,
  type CreateRun,
  type CreateTask,
  CoppiceError,
  parseMessage,
  type Round,
  RoundSchema,
  type Run,
  type RunAction,
  RunSchema,
  type TaskInfo,
  TaskInfoSchema,
} from '@coppice/protocol';
import { request } from './http.ts';

/** Whether this browser holds an admin session. */
export async function fetchSession(): Promise<boolean> {
  return ((await request('GET', '/api/session')) as { admin?: unknown } | null)?.admin === true;
}

/** @throws CoppiceError `unauthorized` for a wrong key. */
export async function openSession(key: string): Promise<void> {
  await request('POST', '/api/session', { key });
}

export async function closeSession(): Promise<void> {
  await request('DELETE', '/api/session');
}

export async function fetchTasks(): Promise<TaskInfo[]> {
  return list(await request('GET', '/api/tasks')).map((one) => parseMessage('task', TaskInfoSchema, one));
}

/** @throws CoppiceError `task-invalid`, `task-exists`, `model-invalid`. */
export async function createTask(task: CreateTask | Record<string, unknown>): Promise<TaskInfo> {
  return parseMessage('task', TaskInfoSchema, await request('POST', '/api/tasks', task));
}

/** @throws CoppiceError `task-unknown`, `plan-invalid`, `model-invalid`. */
export async function createRun(body: CreateRun): Promise<Run> {
  return parseMessage('run', RunSchema, await request('POST', '/api/runs', body));
}

/** @throws CoppiceError `run-unknown`, `run-ended`, `run-state`. */
export async function actOnRun(run: string, action: RunAction): Promise<Run> {
  return parseMessage('run', RunSchema, await request('POST', `/api/runs/${run}/${action}`));
}

export async function fetchRounds(run: string): Promise<Round[]> {
  return list(await request('GET', `/api/runs/${run}/rounds`)).map((one) =>
    parseMessage('round', RoundSchema, one),
  );
}

/** Newest first. */
export async function fetchCheckpoints(run: string): Promise<Checkpoint[]> {
  return list(await request('GET', `/api/runs/${run}/checkpoints`)).map((one) =>
    parseMessage('checkpoint', CheckpointSchema, one),
  );
}

function list(answer: unknown): unknown[] {
  if (Array.isArray(answer)) return answer;
  throw new CoppiceError(
    'message-invalid',
    'The coordinator answered with something other than a list. Reload the page; if it stays, look at its log.',
  );
}
