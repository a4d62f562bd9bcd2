import { CoppiceError } from '@coppice/protocol';
import type { FoundModel, ReadAnswer, ReadFiles } from './read-worker.ts';

export type { FoundModel };

/**
 * Reads the files of a model in a thread.
 *
 * @throws CoppiceError `model-invalid` with the reason.
 */
export async function readModel(files: readonly File[]): Promise<FoundModel> {
  const read = await Promise.all(
    files.map(async (file) => ({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) })),
  );
  return inThread({ files: read });
}

/**
 * Reads a model at an address of this coordinator: its `model.json`, and the weights that this names.
 *
 * @throws CoppiceError `model-invalid`, also where the address is of another site, or answers with no model.
 */
export async function readModelAt(address: string): Promise<FoundModel> {
  const here = URL.canParse(address, location.href) ? new URL(address, location.href) : null;
  if (here === null || here.origin !== location.origin)
    throw new CoppiceError(
      'model-invalid',
      `Models are fetched from this coordinator alone: from ${location.origin}/models/… Download others, and give their files.`,
    );
  if (!here.pathname.endsWith('.json')) here.pathname = `${here.pathname.replace(/\/$/, '')}/model.json`;
  const description = await bytesAt(here);
  const paths = weightPaths(description);
  const weights = await Promise.all(
    paths.map(async (path) => ({ name: path, bytes: await bytesAt(new URL(path, here)) })),
  );
  return inThread({ files: [{ name: 'model.json', bytes: description }, ...weights] });
}

async function bytesAt(address: URL): Promise<Uint8Array> {
  const response = await fetch(address, { credentials: 'same-origin' }).catch(() => null);
  if (response?.ok !== true) {
    const answer = (await response?.json().catch(() => null)) as { error?: { message?: unknown } } | null;
    const why = answer?.error?.message ?? `it answered ${response?.status ?? 'nothing'}.`;
    throw new CoppiceError('model-invalid', `There is no model at ${address.pathname}: ${why}`);
  }
  return new Uint8Array(await response.arrayBuffer());
}

function weightPaths(description: Uint8Array): string[] {
  try {
    const { weightsManifest = [] } = JSON.parse(new TextDecoder().decode(description)) as {
      weightsManifest?: { paths: string[] }[];
    };
    return weightsManifest.flatMap(({ paths }) => paths);
  } catch {
    // The reader says what is wrong with it.
    return [];
  }
}

function inThread(files: ReadFiles): Promise<FoundModel> {
  const worker = new Worker(new URL('./read-worker.ts', import.meta.url), { type: 'module' });
  return new Promise<FoundModel>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<ReadAnswer>) => {
      if ('found' in data) resolve(data.found);
      else reject(new CoppiceError(data.error.code, data.error.message));
    };
    worker.onerror = () =>
      reject(
        new CoppiceError(
          'model-invalid',
          'These files could not be read: reading them took too much memory.',
        ),
      );
    worker.postMessage(
      files,
      files.files.map(({ bytes }) => bytes.buffer),
    );
  }).finally(() => worker.terminate());
}
