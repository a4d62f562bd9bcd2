import type { ImageData as ImageSchema } from '@coppice/protocol';
import { catalogue, formatNumber } from '@coppice/ui';
import { transfer } from 'comlink';
import { useEffect, useId, useMemo, useRef, useState } from 'preact/hooks';
import { summary } from '../data/data.ts';
import { attemptInView } from '../errors/attempt.ts';
import { participant } from '../link/participant.ts';
import { ExamplePicture } from '../model/example-picture.tsx';
import { newestOnly } from '../model/newest-only.ts';
import { classOfKey } from './class-keys.ts';
import { takeFrame } from './crop.ts';
import { frameQueue } from './frame-queue.ts';

const n = (value: number) => formatNumber(value);
const text = catalogue(
  {
    live: 'What the camera shows, cut as it is kept',
    seen: (width: number, height: number) => `As the model sees it: ${n(width)} × ${n(height)} pixels`,
    sees: (width: number, height: number, grey: boolean) =>
      `The model sees ${n(width)} × ${n(height)} pixels${grey ? ', without colour' : ''}.`,
    classes: 'Capture into',
    hold: (name: string) => `Hold to capture “${name}”`,
    holding: (name: string) => `Capturing “${name}”…`,
    help: 'Hold the button or the Space key for several pictures a second; Enter takes one. Arrow and number keys choose the class.',
    captured: (count: number, name: string) =>
      `${n(count)} ${count === 1 ? 'picture' : 'pictures'} captured as “${name}”.`,
    busy: 'This device is busy, so some pictures were left out.',
  },
  {
    live: '摄像头画面（已按保存的范围裁剪）',
    seen: (width, height) => `模型所见：${n(width)} × ${n(height)} 像素`,
    sees: (width, height, grey) =>
      `模型看到的是 ${n(width)} × ${n(height)} 像素${grey ? '，没有颜色' : ''}。`,
    classes: '拍摄到',
    hold: (name) => `按住拍摄“${name}”`,
    holding: (name) => `正在拍摄“${name}”……`,
    help: '按住按钮或空格键，每秒拍摄数张；按回车键拍一张。方向键和数字键选择类别。',
    captured: (count, name) => `已为“${name}”拍摄 ${n(count)} 张。`,
    busy: '设备正忙，有些图片没有留下。',
  },
);

/**
 * Milliseconds between two frames while the button is held: short enough to catch a movement, long enough for frames to
 * differ.
 */
const FRAME_INTERVAL = 160;
/** Milliseconds between two previews of the model's input. */
const PREVIEW_INTERVAL = 240;

interface Hold {
  readonly by: 'pointer' | 'key';
  readonly timer: ReturnType<typeof setInterval>;
  taken: number;
  dropped: number;
}

interface CameraCaptureProps {
  readonly data: ImageSchema;
  readonly stream: MediaStream;
}

/** The camera's picture, a bucket for each class, and a button that fills the chosen one while held. */
export function CameraCapture({ data, stream }: CameraCaptureProps) {
  const t = text();
  const { classes, width, height, channels } = data;
  const ratio = width / height;
  const help = useId();
  const group = useId();
  const video = useRef<HTMLVideoElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const buckets = useRef<HTMLDivElement>(null);
  const [label, setLabel] = useState(0);
  // Frames are taken outside of any drawing of the page.
  const chosen = useRef(0);
  const [holding, setHolding] = useState(false);
  const [told, setTold] = useState('');
  const [seen, setSeen] = useState<Uint8Array | null>(null);
  const [waiting, setWaiting] = useState<ReadonlyMap<number, number>>(new Map());
  const hold = useRef<Hold | null>(null);
  const lastFrame = useRef(-1);

  const queue = useMemo(
    () =>
      frameQueue<ImageBitmap>({
        keep: async (frames, index) => {
          const pictures = [...frames];
          const kept = await attemptInView('examples', () =>
            participant().addPictures(transfer(pictures, pictures), index, 'camera'),
          );
          if (kept === undefined) release();
          return kept !== undefined;
        },
        waiting: setWaiting,
      }),
    [],
  );

  const capture = async () => {
    const element = video.current;
    // A camera in the dark is slower than the timer; the same frame twice teaches nothing.
    if (element === null || element.currentTime === lastFrame.current) return;
    lastFrame.current = element.currentTime;
    const index = chosen.current;
    const counted = hold.current;
    const frame = await takeFrame(element, ratio);
    if (frame === null) return;
    const taken = queue.push(frame, index);
    if (counted === null) setTold(taken ? text().captured(1, classes[index] as string) : text().busy);
    else if (taken) counted.taken++;
    else counted.dropped++;
  };
  const press = (by: Hold['by']) => {
    if (hold.current !== null) return;
    setTold('');
    setHolding(true);
    hold.current = { by, timer: setInterval(() => void capture(), FRAME_INTERVAL), taken: 0, dropped: 0 };
    void capture();
  };
  const release = () => {
    const held = hold.current;
    if (held === null) return;
    clearInterval(held.timer);
    hold.current = null;
    setHolding(false);
    const said = text();
    const parts = [said.captured(held.taken, classes[chosen.current] as string)];
    if (held.dropped > 0) parts.push(said.busy);
    setTold(parts.join(' '));
  };
  const choose = (index: number) => {
    // Report the frames captured so far for the class that they went to.
    const held = hold.current?.by;
    release();
    chosen.current = index;
    setLabel(index);
    if (held !== undefined) press(held);
  };

  useEffect(() => {
    const element = video.current;
    if (element === null) return undefined;
    element.srcObject = stream;
    // Refused only where it is taken away again at once.
    element.play().catch(() => {});
    button.current?.focus({ preventScroll: true });
    const look = newestOnly(async () => {
      const frame = await takeFrame(element, ratio).catch(() => null);
      if (frame === null) return;
      // A worker that is gone, or has another task open by now, has nothing to show.
      setSeen(
        await participant()
          .preparePicture(transfer(frame, [frame]))
          .catch(() => null),
      );
    });
    const timer = setInterval(look, PREVIEW_INTERVAL);
    return () => {
      clearInterval(timer);
      release();
      queue.discard();
      element.srcObject = null;
    };
  }, [stream]);
  useEffect(() => {
    buckets.current
      ?.querySelectorAll<HTMLElement>('.bucket')
      [label]?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [label]);

  const keyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === ' ') {
      event.preventDefault();
      press('key');
      return;
    }
    const next = classOfKey(event.key, chosen.current, classes);
    if (next === null) return;
    event.preventDefault();
    choose(next);
    if (event.target instanceof HTMLInputElement)
      buckets.current?.querySelectorAll<HTMLInputElement>('input')[next]?.focus();
  };
  const keyUp = (event: KeyboardEvent) => {
    if (event.key !== ' ') return;
    // Else the button would take this for a click.
    event.preventDefault();
    release();
  };
  const name = classes[label] as string;
  const counts = summary.value?.perClass ?? [];
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: its keys are those of the controls inside
    <div
      class="stack tight"
      onKeyDown={keyDown}
      onKeyUp={keyUp}
      // A key that is let go elsewhere is not heard of; a pointer is.
      onBlurCapture={() => hold.current?.by === 'key' && release()}
    >
      <div class="camera-views">
        <video
          ref={video}
          class="camera-live"
          style={{ aspectRatio: `${width} / ${height}` }}
          muted
          playsInline
          aria-label={t.live}
          data-testid="camera-video"
        />
        <div class="stack tight">
          {seen === null ? (
            <div class="pad-sheet" />
          ) : (
            <ExamplePicture data={data} features={seen} label={t.seen(width, height)} />
          )}
          <p class="small quiet">{t.sees(width, height, channels === 1)}</p>
        </div>
      </div>
      <div ref={buckets} class="buckets" role="radiogroup" aria-label={t.classes}>
        {classes.map((one, index) => (
          <label key={one} class={`bucket ${index === label ? 'chosen' : ''}`}>
            <input
              type="radio"
              name={group}
              class="visually-hidden"
              checked={index === label}
              data-testid={`camera-class-${index}`}
              onChange={() => choose(index)}
            />
            <span class="bucket-name">{one}</span>
            <span class="bucket-count" data-testid={`camera-count-${index}`}>
              {n((counts[index] ?? 0) + (waiting.get(index) ?? 0))}
            </span>
          </label>
        ))}
      </div>
      <button
        ref={button}
        type="button"
        class={`button primary large hold ${holding ? 'held' : ''}`}
        data-testid="camera-hold"
        aria-describedby={help}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          press('pointer');
        }}
        onPointerUp={release}
        onPointerCancel={release}
        onLostPointerCapture={release}
        onContextMenu={(event) => event.preventDefault()}
        // Enter, or a press by assistive technology: neither can be held.
        onClick={(event) => event.detail === 0 && void capture()}
      >
        {holding ? t.holding(name) : t.hold(name)}
      </button>
      <p id={help} class="small quiet">
        {t.help}
      </p>
      <p class="small" role="status" data-testid="camera-told">
        {told}
      </p>
    </div>
  );
}
