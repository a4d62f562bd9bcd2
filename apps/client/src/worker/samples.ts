import type { RawExamples } from '@coppice/participant';
import { CoppiceError } from '@coppice/protocol';

/** Fetches one of `of` shares of a task's sample data. @throws CoppiceError the coordinator's refusal. */
export async function fetchSamples(task: string, share: number, of: number): Promise<RawExamples> {
  const response = await fetch(`/api/tasks/${task}/samples?share=${share}&of=${of}`).catch(
    (cause: unknown) => {
      throw new CoppiceError(
        'connection-lost',
        'The coordinator does not answer, so no samples came. Try again when it is back.',
        { cause },
      );
    },
  );
  if (!response.ok) {
    const answer = (await response.json().catch(() => null)) as { error?: unknown } | null;
    throw CoppiceError.fromAnswer(answer?.error);
  }
  return decodeSamples(await response.arrayBuffer());
}

/** Decodes samples in the layout of the coordinator's OpenAPI document. @throws CoppiceError `data-invalid` for any other. */
export function decodeSamples(buffer: ArrayBuffer): RawExamples {
  const [count = 0, bytesPerFeature = 0, size = 0] =
    buffer.byteLength < 16 ? [] : new Uint32Array(buffer, 0, 4);
  const length = count * size;
  const whole = 16 + Math.ceil((length * bytesPerFeature) / 4) * 4 + count * 4;
  if (
    buffer.byteLength < 16 ||
    (bytesPerFeature !== 1 && bytesPerFeature !== 4) ||
    whole !== buffer.byteLength
  )
    throw new CoppiceError('data-invalid', 'The samples were damaged on their way here. Ask for them again.');
  const features =
    bytesPerFeature === 1 ? new Uint8Array(buffer, 16, length) : new Float32Array(buffer, 16, length);
  const labelsAt = 16 + Math.ceil(features.byteLength / 4) * 4;
  return { count, features, labels: new Float32Array(buffer, labelsAt, count) };
}
