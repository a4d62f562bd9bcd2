import { classesOf, type DataSchema, targetUnit } from '@coppice/protocol';
import { catalogue, formatNumber, formatShare } from '@coppice/ui';
import type { Comparison, Prediction } from '../worker/api.ts';

const n = (value: number) => formatNumber(value);
const text = catalogue(
  {
    before: 'First model seen here',
    after: 'Newest model',
    ofRound: (round: number) => (round === 0 ? 'before any training' : `after round ${n(round)}`),
    waiting: 'Draw or pick an example to ask about.',
    waitingTable: 'Fill in values or pick an example to ask about.',
    noModel: 'No model has arrived yet: it comes when you take part.',
    really: (label: string) => `It really is: ${label}`,
    sure: (share: string) => `${share} sure`,
  },
  {
    before: '这里最初收到的模型',
    after: '最新模型',
    ofRound: (round) => (round === 0 ? '训练之前' : `第 ${n(round)} 轮之后`),
    waiting: '写一个或选一个样本来问。',
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
  /** `null`: there is no model; `undefined`: no question was asked. */
  readonly comparison: Comparison | null | undefined;
  /** The true class or value of the example, where known. */
  readonly truth: number | null;
}

/** Predictions side by side: of the first model that arrived here, where one did, and of the newest. */
export function Answers({ data, comparison, truth }: AnswersProps) {
  const t = text();
  if (comparison === null) return <p class="quiet">{t.noModel}</p>;
  const classes = classesOf(data);
  return (
    <>
      <div class="answers">
        {comparison?.before !== null && (
          <Answer
            title={t.before}
            testId="prediction"
            prediction={comparison?.before}
            data={data}
            classes={classes}
          />
        )}
        <Answer
          title={t.after}
          testId="prediction-after"
          prediction={comparison?.after}
          data={data}
          classes={classes}
        />
      </div>
      {comparison === undefined && (
        <p class="small quiet">{data.kind === 'image' ? t.waiting : t.waitingTable}</p>
      )}
      {truth !== null && comparison !== undefined && (
        <p class="small">{t.really(classes?.[truth] ?? withUnit(truth, data))}</p>
      )}
    </>
  );
}

interface AnswerProps {
  readonly title: string;
  readonly testId: string;
  readonly prediction: Prediction | undefined;
  readonly data: DataSchema;
  readonly classes: readonly string[] | null;
}

function Answer({ title, testId, prediction, data, classes }: AnswerProps) {
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
      <p class="small quiet">{prediction === undefined ? '\u00a0' : t.ofRound(prediction.round)}</p>
    </div>
  );
}

function said(
  { output }: Prediction,
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
  prediction: Prediction | undefined;
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
