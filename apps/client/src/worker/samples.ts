import type { RawExamples } from '@coppice/participant';
import { CoppiceError, type WireError } from '@coppice/protocol';

/** Fetches one of `of` shares of a task's sample data. @throws CoppiceError what the coordinator answered. */
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
    const { error } = (await response.json()) as { error: WireError };
    throw CoppiceError.fromWire(error);
  }
  return decodeSamples(await response.arrayBuffer());
}

/** The layout is in the coordinator's OpenAPI document. */
export function decodeSamples(buffer: ArrayBuffer): RawExamples {
  const [count = 0, bytesPerFeature = 0, size = 0] = new Uint32Array(buffer, 0, 4);
  const length = count * size;
  const features =
    bytesPerFeature === 1 ? new Uint8Array(buffer, 16, length) : new Float32Array(buffer, 16, length);
  const labelsAt = 16 + Math.ceil(features.byteLength / 4) * 4;
  return { count, features, labels: new Float32Array(buffer, labelsAt, count) };
}
