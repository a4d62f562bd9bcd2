import { CoppiceError, type ImageData as ImageSchema, type WireError } from '@coppice/protocol';
import { catalogue } from '@coppice/ui';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ErrorCard } from '../errors/error-card.tsx';
import { type Camera, cameraIds, nextCamera, openCamera } from './camera.ts';
import { CameraCapture } from './camera-capture.tsx';

const text = catalogue(
  {
    title: 'Use the camera',
    open: 'Use the camera…',
    again: 'Try the camera again…',
    asking: 'Waiting for the camera…',
    stop: 'Switch the camera off',
    switch: 'Other camera',
    help: 'Hold a button to capture examples. Pictures stay in this browser, as all examples do.',
    hidden: 'The camera was switched off while this page was out of sight.',
  },
  {
    title: '用摄像头拍摄',
    open: '使用摄像头…',
    again: '重试摄像头…',
    asking: '正在等待摄像头……',
    stop: '关闭摄像头',
    switch: '换一个摄像头',
    help: '按住按钮即可拍摄样本。与所有样本一样，图片只保存在本浏览器中。',
    hidden: '页面不可见时，摄像头已关闭。',
  },
);

/** The camera, on from the press of a button until it is switched off or the page is hidden. */
export function CameraAdder({ data }: { data: ImageSchema }) {
  const t = text();
  const [camera, setCamera] = useState<Camera | null>(null);
  const [others, setOthers] = useState<readonly string[]>([]);
  const [asking, setAsking] = useState(false);
  const [error, setError] = useState<WireError | null>(null);
  const [told, setTold] = useState('');
  const openButton = useRef<HTMLButtonElement>(null);
  const wasOn = useRef(false);
  // The later of both events stops the camera: a person may leave while the browser still asks.
  const current = useRef<Camera | null>(null);
  const turn = useRef(0);

  const off = () => {
    turn.current++;
    current.current?.stop();
    current.current = null;
    setCamera(null);
    setAsking(false);
  };
  const open = async (id: string | null) => {
    off();
    const mine = turn.current;
    setError(null);
    setTold('');
    setAsking(true);
    try {
      const opened = await openCamera(id, (lost) => {
        if (current.current !== opened) return;
        off();
        setError(lost.toWire());
      });
      if (mine !== turn.current) return opened.stop();
      current.current = opened;
      setCamera(opened);
      setOthers(await cameraIds());
    } catch (thrown) {
      if (mine === turn.current) setError(CoppiceError.from(thrown).toWire());
    } finally {
      if (mine === turn.current) setAsking(false);
    }
  };

  useEffect(() => {
    const hidden = () => {
      if (!document.hidden || current.current === null) return;
      off();
      setTold(text().hidden);
    };
    document.addEventListener('visibilitychange', hidden);
    addEventListener('pagehide', off);
    return () => {
      document.removeEventListener('visibilitychange', hidden);
      removeEventListener('pagehide', off);
      off();
    };
  }, []);
  // The pressed button is gone: keyboard focus moves to the one in its place.
  useEffect(() => {
    if (camera === null && wasOn.current && document.activeElement === document.body)
      openButton.current?.focus({ preventScroll: true });
    wasOn.current = camera !== null;
  }, [camera]);

  return (
    <div class="stack tight" data-testid="camera">
      <h3 class="eyebrow">{t.title}</h3>
      {error !== null && <ErrorCard key={error.code} error={error} onDismiss={() => setError(null)} />}
      {camera === null ? (
        <>
          <div class="row">
            <button
              ref={openButton}
              type="button"
              class="button"
              data-testid="camera-open"
              disabled={asking}
              onClick={() => void open(null)}
            >
              {asking ? t.asking : error === null ? t.open : t.again}
            </button>
          </div>
          <p class="small quiet">{t.help}</p>
        </>
      ) : (
        <>
          <CameraCapture key={camera.id} data={data} stream={camera.stream} />
          <div class="row">
            <button type="button" class="button" data-testid="camera-stop" onClick={off}>
              {t.stop}
            </button>
            {others.length > 1 && (
              <button
                type="button"
                class="button"
                data-testid="camera-switch"
                onClick={() => void open(nextCamera(others, camera.id))}
              >
                {t.switch}
              </button>
            )}
          </div>
        </>
      )}
      <p class="small" role="status">
        {told}
      </p>
    </div>
  );
}
