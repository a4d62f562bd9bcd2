import { classesOf, type DataSchema, targetUnit } from '@coppice/protocol';
import { catalogue, formatNumber, formatShare } from '@coppice/ui';
import { isMonitored } from '../monitoring/watch.ts';
import type { Comparison, Prediction, ReleasedPrediction } from '../worker/api.ts';
import { Correction } from './correction.tsx';

const n = (value: number) => formatNumber(value);
const text = catalogue(
  {
    released: 'Released model',
    ofCheckpoint: (checkpoint: string) => `Checkpoint ${checkpoint}`,
    before: 'First model seen here',
    after: 'Newest model',
    ofRound: (round: number) => (round === 0 ? 'before any training' : `after round ${n(round)}`),
    waiting: 'Choose a picture to ask about.',
    waitingDraw: 'Draw or choose a picture to ask about.',
    waitingTable: 'Fill in values or pick an example to ask about.',
    noModel: 'No model has arrived yet: it comes when you take part.',
    really: (label: string) => `It really is: ${label}`,
    sure: (share: string) => `${share} sure`,
  },
  {
    released: '已发布的模型',
    ofCheckpoint: (checkpoint) => `检查点 ${checkpoint}`,
    before: '这里最初收到的模型',
    after: '最新模型',
    ofRound: (round) => (round === 0 ? '训练之前' : `第 ${n(round)} 轮之后`),
    waiting: '选一张图片来问。',
    waitingDraw: '写一个或选一张图片来问。',
    waitingTable: '填写数值或选一个样本来问。',
    noModel: '还没有收到模型：参与之后就会到来。',
    really: (label) => `实际是：${label}`,
    sure: (share) => `把握 ${share}`,
  },
);

/** Index of the largest value; the first of equal ones. */
export function top(output: readonly number[]): number {
  return output.reduce((best, value, index) => (value > (output[best] as number) ? index : best), 0);
}

interface AnswersProps {
  readonly data: DataSchema;
  /** Grows with each new input. */
  readonly input: number;
  /** The models' answers, each null where there is no such model; `undefined`: no question was asked. */
  readonly asked:
    | { readonly comparison: Comparison | null; readonly released: ReleasedPrediction | null }
    | undefined;
  /** The true class or value of the example, where known. */
  readonly truth: number | null;
}

/** Predictions side by side: of the released model, of the first model that arrived here, and of the newest, as far as they are there. */
export function Answers({ data, input, asked, truth }: AnswersProps) {
  const t = text();
  const { comparison, released } = asked ?? { comparison: undefined, released: null };
  if (comparison === null && released === null) return <p class="quiet">{t.noModel}</p>;
  const classes = classesOf(data);
  const best = released === null || classes === null ? null : top(released.output);
  return (
    <>
      <div class="answers">
        {released !== null && (
          <Answer
            title={t.released}
            testId="prediction-released"
            prediction={released}
            note={t.ofCheckpoint(released.checkpoint)}
            data={data}
            classes={classes}
          />
        )}
        {comparison !== null && comparison?.before !== null && (
          <Answer
            title={t.before}
            testId="prediction"
            prediction={comparison?.before}
            note={comparison === undefined ? null : t.ofRound(comparison.before?.round ?? 0)}
            data={data}
            classes={classes}
          />
        )}
        {comparison !== null && (
          <Answer
            title={t.after}
            testId="prediction-after"
            prediction={comparison?.after}
            note={comparison === undefined ? null : t.ofRound(comparison.after.round)}
            data={data}
            classes={classes}
          />
        )}
      </div>
      {released !== null && truth === null && isMonitored.value && (
        <Correction key={input} data={data} prediction={released} best={best} />
      )}
      {asked === undefined && (
        <p class="small quiet">
          {data.kind === 'table' ? t.waitingTable : data.drawable === true ? t.waitingDraw : t.waiting}
        </p>
      )}
      {truth !== null && asked !== undefined && (
        <p class="small">{t.really(classes?.[truth] ?? withUnit(truth, data))}</p>
      )}
    </>
  );
}

interface AnswerProps {
  readonly title: string;
  readonly testId: string;
  readonly prediction: Pick<Prediction, 'output'> | undefined;
  /** The model that answered; null: none did yet. */
  readonly note: string | null;
  readonly data: DataSchema;
  readonly classes: readonly string[] | null;
}

function Answer({ title, testId, prediction, note, data, classes }: AnswerProps) {
  const t = text();
  const best = prediction === undefined ? null : top(prediction.output);
  return (
    <div class="answer">
      <h3 class="eyebrow">{title}</h3>
      <p class="answer-top">
        <strong data-testid={testId}>
          {prediction === undefined || best === null ? '–' : said(prediction, best, data, classes)}
        </strong>
        <span class="small quiet">
          {prediction !== undefined && best !== null && classes !== null
            ? t.sure(formatShare(prediction.output[best] as number, 0))
            : ''}
        </span>
      </p>
      {classes !== null && <Bars classes={classes} prediction={prediction} best={best} />}
      <p class="small quiet">{note ?? '\u00a0'}</p>
    </div>
  );
}

function said(
  { output }: Pick<Prediction, 'output'>,
  best: number,
  data: DataSchema,
  classes: readonly string[] | null,
): string {
  if (classes !== null) return classes[best] as string;
  return withUnit(output[0] as number, data);
}

/** A value of a numeric target, with its unit. */
function withUnit(value: number, data: DataSchema): string {
  const shown = formatNumber(value, { maximumSignificantDigits: 4 });
  const unit = targetUnit(data);
  return unit === undefined ? shown : `${shown} ${unit}`;
}

/** The most bars: more classes are unreadable, and only the largest are shown. */
const MOST_BARS = 12;

function Bars(props: {
  classes: readonly string[];
  prediction: Pick<Prediction, 'output'> | undefined;
  best: number | null;
}) {
  const { prediction, best } = props;
  const rows = props.classes.map((name, index) => ({ name, index, value: prediction?.output[index] ?? 0 }));
  const shown =
    rows.length <= MOST_BARS ? rows : rows.toSorted((a, b) => b.value - a.value).slice(0, MOST_BARS);
  return (
    <ul class="balance probabilities">
      {shown.map(({ name, index, value }) => (
        <li key={name} class={index === best ? 'best' : ''}>
          <span class="balance-name">{name}</span>
          <span class="bar">
            <span style={{ width: `${value * 100}%` }} />
          </span>
          <span class="balance-count">{prediction === undefined ? '' : formatShare(value, 0)}</span>
        </li>
      ))}
    </ul>
  );
}
