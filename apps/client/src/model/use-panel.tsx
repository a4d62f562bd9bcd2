import type { ImageData as ImageSchema } from '@coppice/protocol';
import { catalogue } from '@coppice/ui';
import { transfer } from 'comlink';
import { useEffect, useRef, useState } from 'preact/hooks';
import { DrawPad, type Pad } from '../draw/draw-pad.tsx';
import { attempt } from '../errors/attempt.ts';
import { participant } from '../link/participant.ts';
import { chosenTask } from '../run/run.ts';
import type { OwnExample } from '../worker/api.ts';
import { Answers } from './answers.tsx';
import { AskTable } from './ask-table.tsx';
import { ExamplePicture } from './example-picture.tsx';
import { asked, over, releasedAnswer, useAnswer } from './use-answer.ts';

const text = catalogue(
  {
    title: 'Use the model',
    lead: 'Ask the released model, and the models of the run that you take part in. They answer in this browser; your input is never sent.',
    sheet: 'Sheet to draw something on for the model to read',
    clear: 'Clear',
    own: 'Take one of mine',
    none: 'You have no examples yet.',
    picture: 'One of your examples',
  },
  {
    title: '使用模型',
    lead: '向已发布的模型以及你参与的训练中的模型提问。在本浏览器中回答，你的输入从不发送。',
    sheet: '画板：写下内容让模型辨认',
    clear: '清除',
    own: '取一个我的样本',
    none: '你还没有样本。',
    picture: '你的一个样本',
  },
);

export function UsePanel() {
  const t = text();
  const task = chosenTask.value;
  if (task === null) return null;
  return (
    <section class="sheet stack" aria-labelledby="use-title" id="use">
      <h2 id="use-title">{t.title}</h2>
      <p class="small quiet">{t.lead}</p>
      {task.data.kind === 'image' ? (
        <AskPicture key={task.id} data={task.data} />
      ) : (
        <AskTable key={task.id} data={task.data} />
      )}
    </section>
  );
}

/** Milliseconds of pause before a drawing is predicted: strokes come faster than answers are useful. */
const DEBOUNCE = 120;

function AskPicture({ data }: { data: ImageSchema }) {
  const t = text();
  const pad = useRef<Pad | null>(null);
  const [own, setOwn] = useState<OwnExample | null>(null);
  const [told, setTold] = useState('');
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const { answer, ask } = useAnswer(async () => {
    if (own !== null) return asked([...own.features]);
    if (pad.current === null || pad.current.isEmpty()) return undefined;
    const pictures = [await pad.current.bitmap(), await pad.current.bitmap()] as const;
    const released = await releasedAnswer(transfer(pictures[0], [pictures[0]]));
    const comparison = await participant().predictPicture(transfer(pictures[1], [pictures[1]]), over.value);
    return { comparison, released };
  });
  const drawing = useRef<string | null>(null);
  drawing.current = own === null ? (answer?.released?.id ?? null) : null;
  // A finished drawing is one prediction; a stroke of it is none.
  const leave = () => {
    const id = drawing.current;
    if (id !== null) void attempt('use', () => participant().use(id));
  };
  useEffect(() => ask(), [own, ask]);
  const [input, setInput] = useState(0);
  const drawn = () => {
    setInput((before) => before + 1);
    setOwn(null);
    clearTimeout(timer.current);
    timer.current = setTimeout(ask, DEBOUNCE);
  };
  const takeOwn = async () => {
    const example = await attempt('own example', () => participant().randomExample());
    setTold(example === null ? t.none : '');
    if (!example) return;
    leave();
    setOwn(example);
  };
  return (
    <div class="stack">
      <div class="drawing">
        {own === null ? (
          data.drawable === true && (
            <DrawPad label={t.sheet} testId="predict-canvas" pad={pad} onChange={drawn} />
          )
        ) : (
          <ExamplePicture data={data} features={own.features} label={t.picture} />
        )}
        <div class="stack tight">
          <button
            type="button"
            class="button"
            data-testid="predict-clear"
            onClick={() => {
              leave();
              setOwn(null);
              pad.current?.clear();
            }}
          >
            {t.clear}
          </button>
          <button type="button" class="button" data-testid="predict-own" onClick={() => void takeOwn()}>
            {t.own}
          </button>
          <p class="small quiet" role="status">
            {told}
          </p>
        </div>
      </div>
      <Answers data={data} input={input} asked={answer} truth={own?.label ?? null} />
    </div>
  );
}
