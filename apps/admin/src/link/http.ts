import { CoppiceError, type ErrorCode, errorCodeList } from '@coppice/protocol';

/**
 * Asks the coordinator and returns the JSON of its answer, unchecked.
 *
 * @throws CoppiceError with the coordinator's own code and message where it refuses, and
 *   `connection-lost` where it cannot be reached.
 */
export async function request(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown) {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      credentials: 'same-origin',
      headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (cause) {
    throw new CoppiceError(
      'connection-lost',
      'The coordinator cannot be reached. Check that it is running, then try again.',
      { cause },
    );
  }
  const answer: unknown = await response.json().catch(() => null);
  if (!response.ok) throw refusal(answer, response.status);
  return answer;
}

function refusal(answer: unknown, status: number): CoppiceError {
  const error = (answer as { error?: { code?: unknown; message?: unknown } } | null)?.error;
  const known = errorCodeList.includes(error?.code as ErrorCode);
  return new CoppiceError(
    known ? (error?.code as ErrorCode) : 'internal',
    typeof error?.message === 'string'
      ? error.message
      : `The coordinator answered with status ${status}. Look at its log.`,
  );
}
