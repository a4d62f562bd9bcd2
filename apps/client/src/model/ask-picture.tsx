import { CoppiceError, type ImageData as ImageSchema } from '@coppice/protocol';
import { catalogue } from '@coppice/ui';
import { transfer } from 'comlink';
import { useEffect, useRef, useState } from 'preact/hooks';
import { CameraSwitch } from '../camera/camera-switch.tsx';
import { CameraView } from '../camera/camera-view.tsx';
import { DrawPad, type Pad } from '../draw/draw-pad.tsx';
import { attempt } from '../errors/attempt.ts';
import { participant } from '../link/participant.ts';
import { Answers } from './answers.tsx';
import { ExamplePicture } from './example-picture.tsx';
import { asked, over, releasedAnswer, useAnswer } from './use-answer.ts';

const text = catalogue(
  {
    sheet: 'Sheet to draw something on for the model to read',
    clear: 'Clear',
    own: 'Take one of mine',
    file: 'Choose a picture…',
    ways: 'Or drop a picture here, or paste one.',
    none: 'You have no examples yet.',
    picture: 'One of your examples',
    named: (name: string) => `The picture ${name}, as the model sees it`,
    pasted: 'The pasted picture, as the model sees it',
    frame: 'The camera’s picture, as the model sees it',
    asking: (name: string) => `Asked about ${name}.`,
    askingPasted: 'Asked about the pasted picture.',
    unreadable: (name: string) => `${name} could not be read as a picture.`,
    unreadablePasted: 'The pasted picture could not be read.',
    camera: 'Ask with the camera',
    cameraHelp: 'The model answers about what the camera sees. Nothing is kept.',
  },
  {
    sheet: '画板：写下内容让模型辨认',
    clear: '清除',
    own: '取一个我的样本',
    file: '选择图片…',
    ways: '也可把图片拖到这里，或直接粘贴。',
    none: '你还没有样本。',
    picture: '你的一个样本',
    named: (name) => `模型看到的图片 ${name}`,
    pasted: '模型看到的粘贴图片',
    frame: '模型看到的摄像头画面',
    asking: (name) => `已就 ${name} 提问。`,
    askingPasted: '已就粘贴的图片提问。',
    unreadable: (name) => `${name} 无法作为图片读取。`,
    unreadablePasted: '粘贴的图片无法读取。',
    camera: '用摄像头提问',
    cameraHelp: '模型就摄像头看到的画面作答。什么都不会保存。',
  },
);

/** Milliseconds of pause before a drawing is predicted: strokes come faster than answers are useful. */
const DEBOUNCE = 120;

/** A picture that is asked about in place of the sheet. */
interface Shown {
  /** Pixels 0–255. */
  readonly features: ArrayLike<number>;
  /** The true class; null where it is not known. */
  readonly truth: number | null;
  readonly label: string;
  /** True for an example that the model may have learned from: its prediction is none that was used. */
  readonly isOwn: boolean;
}

/** Asks the model about a picture: drawn, one of the person's examples, a file (chosen, dropped or pasted), or the camera's. */
export function AskPicture({ data }: { data: ImageSchema }) {
  const t = text();
  const pad = useRef<Pad | null>(null);
  const chooser = useRef<HTMLInputElement>(null);
  const [shown, setShown] = useState<Shown | null>(null);
  const [told, setTold] = useState('');
  const [isOver, setOver] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const { answer, ask } = useAnswer(async () => {
    if (shown !== null) return asked(Array.from(shown.features));
    if (pad.current === null || pad.current.isEmpty()) return undefined;
    const pictures = [await pad.current.bitmap(), await pad.current.bitmap()] as const;
    const released = await releasedAnswer(transfer(pictures[0], [pictures[0]]));
    const comparison = await participant().predictPicture(transfer(pictures[1], [pictures[1]]), over.value);
    return { comparison, released };
  });
  const counted = useRef<string | null>(null);
  counted.current = shown?.isOwn === true ? null : (answer?.released?.id ?? null);
  // A finished drawing or picture is one prediction; a stroke of it, or a frame of the camera, is none.
  const leave = () => {
    const id = counted.current;
    if (id !== null) void attempt('use', () => participant().use(id));
  };
  useEffect(() => ask(), [shown, ask]);
  const [input, setInput] = useState(0);
  const change = (next: Shown | null) => {
    setInput((before) => before + 1);
    setShown(next);
  };
  const drawn = () => {
    change(null);
    clearTimeout(timer.current);
    timer.current = setTimeout(ask, DEBOUNCE);
  };
  const takeOwn = async () => {
    const example = await attempt('own example', () => participant().randomExample());
    setTold(example === null ? t.none : '');
    if (!example) return;
    leave();
    setShown({ features: example.features, truth: example.label, label: text().picture, isOwn: true });
  };
  const takeFile = async (file: File, isPasted: boolean) => {
    const said = text();
    try {
      const features = await participant().preparePicture(file);
      leave();
      change({
        features,
        truth: null,
        label: isPasted ? said.pasted : said.named(file.name),
        isOwn: false,
      });
      setTold(isPasted ? said.askingPasted : said.asking(file.name));
    } catch (thrown) {
      // A browser says that it cannot decode by an error of its own; every other failure has a name.
      if (CoppiceError.from(thrown).code !== 'internal')
        await attempt('picture', () => Promise.reject(thrown));
      setTold(isPasted ? said.unreadablePasted : said.unreadable(file.name));
    }
  };
  const take = useRef(takeFile);
  take.current = takeFile;
  useEffect(() => {
    const pasted = (event: ClipboardEvent) => {
      const [file] = event.clipboardData?.files ?? [];
      if (file === undefined || !file.type.startsWith('image/')) return;
      event.preventDefault();
      void take.current(file, true);
    };
    document.addEventListener('paste', pasted);
    return () => document.removeEventListener('paste', pasted);
  }, []);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is one way of several; the buttons inside are the others
    <div
      class={`stack drop ${isOver ? 'over' : ''}`}
      data-testid="ask-picture"
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        const [file] = event.dataTransfer?.files ?? [];
        if (file !== undefined) void takeFile(file, false);
      }}
    >
      <div class="drawing">
        {shown === null ? (
          data.drawable === true && (
            <DrawPad label={t.sheet} testId="predict-canvas" pad={pad} onChange={drawn} />
          )
        ) : (
          <ExamplePicture data={data} features={shown.features} label={shown.label} />
        )}
        <div class="stack tight">
          <button
            type="button"
            class="button"
            data-testid="predict-clear"
            onClick={() => {
              leave();
              setShown(null);
              setTold('');
              pad.current?.clear();
            }}
          >
            {t.clear}
          </button>
          <button type="button" class="button" data-testid="predict-own" onClick={() => void takeOwn()}>
            {t.own}
          </button>
          <button type="button" class="button" onClick={() => chooser.current?.click()}>
            {t.file}
          </button>
          <input
            ref={chooser}
            type="file"
            hidden
            accept="image/*"
            data-testid="predict-file"
            aria-label={t.file}
            onChange={(event) => {
              const file = event.currentTarget.files?.[0];
              event.currentTarget.value = '';
              if (file !== undefined) void takeFile(file, false);
            }}
          />
          <p class="small quiet">{t.ways}</p>
          <p class="small quiet" role="status" data-testid="ask-told">
            {told}
          </p>
        </div>
      </div>
      <Answers data={data} input={input} asked={answer} truth={shown?.truth ?? null} />
      <CameraSwitch testId="ask-camera" title={t.camera} help={t.cameraHelp}>
        {({ id, stream }) => (
          <CameraView
            key={id}
            data={data}
            stream={stream}
            onFrame={(features) => {
              setTold('');
              setShown({ features, truth: null, label: text().frame, isOwn: false });
            }}
          />
        )}
      </CameraSwitch>
    </div>
  );
}
