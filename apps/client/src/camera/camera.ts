import { CoppiceError } from '@coppice/protocol';

/** A running camera. `stop` switches it off. */
export interface Camera {
  readonly stream: MediaStream;
  /** Id of the device, where the browser reveals it. */
  readonly id: string | null;
  stop(): void;
}

/** Far above any task's pictures, and supported by every camera. */
const SIZE = { width: { ideal: 640 }, height: { ideal: 480 } };

/**
 * Opens a camera; the browser asks for permission first.
 *
 * @param id id of the device; `null` for any: on a phone, the rear camera.
 * @param lost called when it stops by itself: unplugged, or taken away.
 * @throws CoppiceError `camera-denied`, `camera-missing`, `camera-failed`.
 */
export async function openCamera(id: string | null, lost: (error: CoppiceError) => void): Promise<Camera> {
  if (navigator.mediaDevices?.getUserMedia === undefined)
    throw new CoppiceError(
      'camera-missing',
      'The browser offers this page no camera at all: it was not opened by https or as localhost.',
    );
  const which = id === null ? { facingMode: { ideal: 'environment' } } : { deviceId: { exact: id } };
  let stream: MediaStream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { ...SIZE, ...which } });
  } catch (thrown) {
    throw cameraError(thrown);
  }
  const [track] = stream.getVideoTracks();
  track?.addEventListener('ended', () =>
    lost(new CoppiceError('camera-failed', 'The camera stopped by itself.')),
  );
  return {
    stream,
    id: track?.getSettings().deviceId ?? null,
    stop() {
      for (const one of stream.getTracks()) one.stop();
    },
  };
}

/** Ids of the available cameras. Browsers list them only once permission was given. */
export async function cameraIds(): Promise<readonly string[]> {
  const devices = await navigator.mediaDevices.enumerateDevices().catch(() => []);
  return devices.filter(({ kind }) => kind === 'videoinput').map(({ deviceId }) => deviceId);
}

/** The camera after this one, cyclically. */
export function nextCamera(ids: readonly string[], current: string | null): string | null {
  return ids[(ids.indexOf(current ?? '') + 1) % ids.length] ?? null;
}

/** Maps an error of `getUserMedia` (W3C Media Capture and Streams) to a `CoppiceError`. */
export function cameraError(thrown: unknown): CoppiceError {
  const { name = '', message = '' } = (thrown ?? {}) as { name?: string; message?: string };
  const told = `${name}: ${message}`;
  if (name === 'NotAllowedError' || name === 'SecurityError')
    return new CoppiceError('camera-denied', `The camera may not be used here (${told}).`, { cause: thrown });
  if (name === 'NotFoundError' || name === 'OverconstrainedError')
    return new CoppiceError('camera-missing', `There is no such camera (${told}).`, { cause: thrown });
  return new CoppiceError('camera-failed', `The camera gives no picture (${told}).`, { cause: thrown });
}
