import { CoppiceError } from '@coppice/protocol';

/** A camera that is on. Its light goes out with `stop`. */
export interface Camera {
  readonly stream: MediaStream;
  /** Which one it is, where the browser tells. */
  readonly id: string | null;
  stop(): void;
}

/** Far above any task's pictures, and what every camera has. */
const SIZE = { width: { ideal: 640 }, height: { ideal: 480 } };

/**
 * Switches a camera on; the browser asks the person first.
 *
 * @param id Which one; `null` for any: of a phone's, the one that looks away from its owner, at things.
 * @param lost Called when it stops by itself: unplugged, or taken away.
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

/** The cameras there are. Browsers tell only once one may be used. */
export async function cameraIds(): Promise<readonly string[]> {
  const devices = await navigator.mediaDevices.enumerateDevices().catch(() => []);
  return devices.filter(({ kind }) => kind === 'videoinput').map(({ deviceId }) => deviceId);
}

/** The next camera after this one, around. */
export function nextCamera(ids: readonly string[], current: string | null): string | null {
  return ids[(ids.indexOf(current ?? '') + 1) % ids.length] ?? null;
}

/** Names after W3C Media Capture and Streams, `getUserMedia`. */
export function cameraError(thrown: unknown): CoppiceError {
  const { name = '', message = '' } = (thrown ?? {}) as { name?: string; message?: string };
  const told = `${name}: ${message}`;
  if (name === 'NotAllowedError' || name === 'SecurityError')
    return new CoppiceError('camera-denied', `The camera may not be used here (${told}).`, { cause: thrown });
  if (name === 'NotFoundError' || name === 'OverconstrainedError')
    return new CoppiceError('camera-missing', `There is no such camera (${told}).`, { cause: thrown });
  return new CoppiceError('camera-failed', `The camera gives no picture (${told}).`, { cause: thrown });
}
