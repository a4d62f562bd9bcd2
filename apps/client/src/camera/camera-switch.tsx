import { CoppiceError, type WireError } from '@coppice/protocol';
import { catalogue } from '@coppice/ui';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ErrorCard } from '../errors/error-card.tsx';
import { type Camera, cameraIds, nextCamera, openCamera } from './camera.ts';

const text = catalogue(
  {
    open: 'Use the camera…',
    again: 'Try the camera again…',
    asking: 'Waiting for the camera…',
    stop: 'Switch the camera off',
    switch: 'Other camera',
    hidden: 'The camera was switched off while this page was out of sight.',
  },
  {
    open: '使用摄像头…',
    again: '重试摄像头…',
    asking: '正在等待摄像头……',
    stop: '关闭摄像头',
    switch: '换一个摄像头',
    hidden: '页面不可见时，摄像头已关闭。',
  },
);

interface CameraSwitchProps {
  /** The beginning of the test ids. */
  readonly testId: string;
  readonly title: string;
  /** Shown while the camera is off. */
  readonly help: string;
  /** What the camera is used for while it is on. */
  readonly children: (camera: Camera) => ComponentChildren;
}

/** The camera, on from the press of a button until it is switched off or the page is hidden. */
export function CameraSwitch({ testId, title, help, children }: CameraSwitchProps) {
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
    <div class="stack tight" data-testid={testId}>
      <h3 class="eyebrow">{title}</h3>
      {error !== null && <ErrorCard key={error.code} error={error} onDismiss={() => setError(null)} />}
      {camera === null ? (
        <>
          <div class="row">
            <button
              ref={openButton}
              type="button"
              class="button"
              data-testid={`${testId}-open`}
              disabled={asking}
              onClick={() => void open(null)}
            >
              {asking ? t.asking : error === null ? t.open : t.again}
            </button>
          </div>
          <p class="small quiet">{help}</p>
        </>
      ) : (
        <>
          {children(camera)}
          <div class="row">
            <button type="button" class="button" data-testid={`${testId}-stop`} onClick={off}>
              {t.stop}
            </button>
            {others.length > 1 && (
              <button
                type="button"
                class="button"
                data-testid={`${testId}-switch`}
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
