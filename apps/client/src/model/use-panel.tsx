import type { DataSchema, Feature, ImageData as ImageSchema, TableData } from '@coppice/protocol';
import { catalogue, localized } from '@coppice/ui';
import { computed } from '@preact/signals';
import { transfer } from 'comlink';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { DrawPad, type Pad } from '../draw/draw-pad.tsx';
import { attempt } from '../errors/attempt.ts';
import { participant } from '../link/participant.ts';
import { releasedModel, session } from '../link/session.ts';
import { watchInfo } from '../monitoring/watch.ts';
import { chosenId, chosenTask, stage } from '../run/run.ts';
import type { Comparison, OwnExample, ReleasedPrediction } from '../worker/api.ts';
import { Answers } from './answers.tsx';
import { ExamplePicture } from './example-picture.tsx';
import { newestOnly } from './newest-only.ts';

const text = catalogue(
  {
    title: 'Use the model',
    lead: 'Ask the released model, and the models of the run that you take part in. They answer in this browser; your input is never sent.',
    sheet: 'Sheet to draw something on for the model to read',
    clear: 'Clear',
    own: 'Take one of mine',
    none: 'You have no examples yet.',
    picture: 'One of your examples',
    ask: 'Ask',
    other: 'Any other value',
  },
  {
    title: '使用模型',
    lead: '向已发布的模型以及你参与的训练中的模型提问。在本浏览器中回答，你的输入从不发送。',
    sheet: '画板：写下内容让模型辨认',
    clear: '清除',
    own: '取一个我的样本',
    none: '你还没有样本。',
    picture: '你的一个样本',
    ask: '提问',
    other: '其他值',
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

/** The chosen run, once it is over: its last model is open to everyone's questions. */
const over = computed(() => (stage.value === 'over' ? chosenId.value : null));

/** Answers of both kinds of models; `undefined`: no question was asked. */
type Asked =
  | { readonly comparison: Comparison | null; readonly released: ReleasedPrediction | null }
  | undefined;

/** The released model that answers here, or would: another one answers anew. */
const releasedNow = computed(() => {
  const task = chosenTask.value?.id ?? '';
  if (releasedModel.value?.task === task) return releasedModel.value.hash;
  const news = session.releases.value[task];
  const told = news?.canary?.arm === 'canary' ? news.canary : (news?.production ?? null);
  return news === undefined ? (watchInfo.value?.release?.hash ?? null) : (told?.hash ?? null);
});

/**
 * Keeps the newest answer to a question that may change faster than it is answered, and repeats the question for a new
 * model.
 */
function useAnswer(question: () => Promise<Asked>) {
  const [answer, setAnswer] = useState<Asked>(undefined);
  const latest = useRef(question);
  latest.current = question;
  const ask = useMemo(
    () =>
      newestOnly(async () => {
        const given = await attempt('ask', () => latest.current());
        setAnswer(given);
      }),
    [],
  );
  const model = session.model.value?.checkpoint ?? over.value;
  const release = releasedNow.value;
  useEffect(() => {
    if (model !== null || release !== null) ask();
  }, [model, release, ask]);
  return { answer, ask };
}

/** Asks all models about raw features. */
async function asked(features: readonly number[]): Promise<Asked> {
  const released = await releasedAnswer(features);
  return { comparison: await participant().predictFeatures(features, over.value), released };
}

/** The released model's answer; null where nothing is released, or the coordinator cannot be reached to ask. */
async function releasedAnswer(input: ImageBitmap | readonly number[]): Promise<ReleasedPrediction | null> {
  if (releasedNow.value === null) return null;
  return (await attempt('ask released', () => participant().predictReleased(input))) ?? null;
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

function AskTable({ data }: { data: TableData }) {
  const t = text();
  const [values, setValues] = useState<readonly number[]>(() =>
    data.features.map((feature) => (feature.kind === 'category' ? 0 : rounded(feature.mean))),
  );
  const [truth, setTruth] = useState<number | null>(null);
  const [input, setInput] = useState(0);
  const [told, setTold] = useState('');
  const { answer, ask } = useAnswer(async () =>
    values.every(Number.isFinite) ? asked([...values]) : undefined,
  );
  useEffect(() => ask(), [values, ask]);
  const takeOwn = async () => {
    const example = await attempt('own example', () => participant().randomExample());
    setTold(example === null ? t.none : '');
    if (!example) return;
    setTruth(example.label);
    setValues(example.features.map(rounded));
  };
  return (
    <div class="stack">
      <div class="mapping">
        {data.features.map((feature, index) => (
          <FeatureField
            key={feature.name}
            id={`ask-${index}`}
            feature={feature}
            value={values[index] ?? Number.NaN}
            onValue={(value) => {
              setTruth(null);
              setInput((before) => before + 1);
              setValues(values.with(index, value));
            }}
          />
        ))}
      </div>
      <div class="row">
        <button type="button" class="button" data-testid="predict-own" onClick={() => void takeOwn()}>
          {t.own}
        </button>
        <span class="small quiet" role="status">
          {told}
        </span>
      </div>
      <Answers data={data as DataSchema} input={input} asked={answer} truth={truth} />
    </div>
  );
}

interface FeatureFieldProps {
  readonly id: string;
  readonly feature: Feature;
  /** As it is stored; NaN: none. */
  readonly value: number;
  readonly onValue: (value: number) => void;
}

/** The field of one column: a number, or a choice among its categories. */
function FeatureField({ id, feature, value, onValue }: FeatureFieldProps) {
  if (feature.kind === 'category') {
    const { name, values, help } = feature;
    return (
      <div class="field">
        <label for={id}>{name}</label>
        <select
          id={id}
          class="input"
          aria-describedby={help === undefined ? undefined : `${id}-help`}
          value={value}
          onChange={(event) => onValue(Number(event.currentTarget.value))}
        >
          {values.map((one, index) => (
            <option key={one} value={index}>
              {one}
            </option>
          ))}
          <option value={values.length}>{text().other}</option>
        </select>
        {help !== undefined && (
          <span id={`${id}-help`} class="help">
            {localized(help)}
          </span>
        )}
      </div>
    );
  }
  const { name, unit, min, max } = feature;
  return (
    <div class="field">
      <label for={id}>
        {name}
        {unit !== undefined && <span class="quiet"> ({unit})</span>}
      </label>
      <input
        id={id}
        class="input"
        type="number"
        step="any"
        inputMode="decimal"
        {...(min === undefined ? {} : { min })}
        {...(max === undefined ? {} : { max })}
        value={Number.isNaN(value) ? '' : value}
        onInput={(event) => onValue(event.currentTarget.valueAsNumber)}
      />
    </div>
  );
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
