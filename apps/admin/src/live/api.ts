import {
  type Checkpoint,
  CheckpointSchema,
  CoppiceError,
  type CreatedTask,
  CreatedTaskSchema,
  type CreateRun,
  type CreateTask,
  type GivenWeights,
  GivenWeightsSchema,
  isErrorCode,
  parseMessage,
  type Round,
  RoundSchema,
  type Run,
  type RunAction,
  RunSchema,
  type TaskInfo,
  TaskInfoSchema,
} from '@coppice/protocol';

/*
 * The coordinator's HTTP API, as far as this page needs it. Every function throws a CoppiceError: the
 * coordinator's own, or `connection-lost` where it could not be reached.
 */

export async function fetchTasks(): Promise<TaskInfo[]> {
  const tasks = list(await call('GET', '/api/tasks'));
  return tasks.map((task) => parseMessage('task', TaskInfoSchema, task));
}

export async function createTask(task: CreateTask): Promise<CreatedTask> {
  return parseMessage('task', CreatedTaskSchema, await call('POST', '/api/tasks', task));
}

/**
 * Sends weights for a task to come.
 *
 * @param progress is told the share that is sent, 0–1.
 */
export async function sendWeights(
  weights: Uint8Array<ArrayBuffer>,
  progress: (share: number) => void,
): Promise<GivenWeights> {
  const { status, answer } = await upload('/api/weights', weights, progress);
  if (status < 300) return parseMessage('weights', GivenWeightsSchema, answer);
  throw errorOf(answer, status);
}

/** `fetch` does not tell how much of a body is sent. */
function upload(
  path: string,
  body: Uint8Array<ArrayBuffer>,
  progress: (share: number) => void,
): Promise<{ status: number; answer: unknown }> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', path);
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    request.upload.onprogress = ({ loaded, total }) => progress(total > 0 ? loaded / total : 0);
    request.onload = () => {
      let answer: unknown = null;
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        // Then the status says what there is to say.
      }
      resolve({ status: request.status, answer });
    };
    request.onerror = () => reject(unreachable());
    request.send(body);
  });
}

export async function createRun(run: CreateRun): Promise<Run> {
  return parseMessage('run', RunSchema, await call('POST', '/api/runs', run));
}

export async function actOnRun(run: string, action: RunAction): Promise<Run> {
  return parseMessage('run', RunSchema, await call('POST', `/api/runs/${run}/${action}`));
}

export async function fetchRounds(run: string): Promise<Round[]> {
  return list(await call('GET', `/api/runs/${run}/rounds`)).map((round) =>
    parseMessage('round', RoundSchema, round),
  );
}

/** Newest first. */
export async function fetchCheckpoints(run: string): Promise<Checkpoint[]> {
  return list(await call('GET', `/api/runs/${run}/checkpoints`)).map((checkpoint) =>
    parseMessage('checkpoint', CheckpointSchema, checkpoint),
  );
}

export async function call(method: string, path: string, body?: unknown): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      credentials: 'same-origin',
      ...(body === undefined
        ? {}
        : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
    });
  } catch (cause) {
    throw unreachable(cause);
  }
  const answer: unknown = await response.json().catch(() => null);
  if (response.ok) return answer;
  throw errorOf(answer, response.status);
}

/** Asks whether a file can be had, which is made with the question. @throws CoppiceError the coordinator's refusal. */
export async function askDownload(address: string): Promise<void> {
  const response = await fetch(address, { credentials: 'same-origin' }).catch((cause: unknown) => {
    throw new CoppiceError(
      'connection-lost',
      'The coordinator cannot be reached. Try again when the page says that it is live.',
      { cause },
    );
  });
  if (!response.ok) throw errorOf(await response.json().catch(() => null), response.status);
  await response.body?.cancel();
}

function unreachable(cause?: unknown): CoppiceError {
  return new CoppiceError(
    'connection-lost',
    'The coordinator cannot be reached, so nothing was changed. Try again when the page says that it is live.',
    { cause },
  );
}

function errorOf(answer: unknown, status: number): CoppiceError {
  const { code, message } = ((answer as { error?: unknown } | null)?.error ?? {}) as Record<string, unknown>;
  if (isErrorCode(code) && typeof message === 'string') return new CoppiceError(code, message);
  return new CoppiceError('internal', `The coordinator answered ${status} without saying why. Its log may.`);
}

export function list(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  throw new CoppiceError(
    'message-invalid',
    'The coordinator sent something else than a list. Load this page again.',
  );
}
