import type { ImageData as ImageSchema } from '@coppice/protocol';
import { catalogue } from '@coppice/ui';
import { transfer } from 'comlink';
import { useEffect, useRef } from 'preact/hooks';
import { participant } from '../link/participant.ts';
import { newestOnly } from '../model/newest-only.ts';
import { takeFrame } from './crop.ts';

const text = catalogue({ live: 'Live picture of the camera' }, { live: '摄像头实时画面' });

/** Milliseconds between two frames that are looked at. */
const INTERVAL = 240;

interface CameraViewProps {
  readonly data: ImageSchema;
  readonly stream: MediaStream;
  /** Takes the pixels of a frame as the model gets them, 0–255. */
  readonly onFrame: (pixels: Uint8Array) => void;
}

/** The camera's picture, with its frames as the model sees them handed on while it is there. */
export function CameraView({ data, stream, onFrame }: CameraViewProps) {
  const video = useRef<HTMLVideoElement>(null);
  const take = useRef(onFrame);
  take.current = onFrame;
  const ratio = data.width / data.height;
  useEffect(() => {
    const element = video.current;
    if (element === null) return undefined;
    let isOn = true;
    element.srcObject = stream;
    // Refused only where it is taken away again at once.
    element.play().catch(() => {});
    const look = newestOnly(async () => {
      const frame = await takeFrame(element, ratio).catch(() => null);
      if (frame === null) return;
      // A worker that is gone, or has another task open by now, has nothing to show.
      const pixels = await participant()
        .preparePicture(transfer(frame, [frame]))
        .catch(() => null);
      if (pixels !== null && isOn) take.current(pixels);
    });
    const timer = setInterval(look, INTERVAL);
    return () => {
      isOn = false;
      clearInterval(timer);
      element.srcObject = null;
    };
  }, [stream, ratio]);
  return (
    <video
      ref={video}
      class="camera-live"
      style={{ aspectRatio: `${data.width} / ${data.height}` }}
      muted
      playsInline
      aria-label={text().live}
      data-testid="ask-camera-video"
    />
  );
}
