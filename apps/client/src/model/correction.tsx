import { classesOf, type DataSchema, targetUnit } from '@coppice/protocol';
import { catalogue } from '@coppice/ui';
import { useState } from 'preact/hooks';
import { attempt } from '../errors/attempt.ts';
import { participant } from '../link/participant.ts';
import type { ReleasedPrediction } from '../worker/api.ts';

const text = catalogue(
  {
    right: 'Correct',
    title: 'Correct answer',
    value: (unit: string | undefined) => (unit === undefined ? 'Correct value' : `Correct value (${unit})`),
    save: 'Save correct answer',
    saved: 'Saved. It counts in the next report.',
    gone: 'This answer is too old to correct. Ask again.',
  },
  {
    right: '答案正确',
    title: '正确答案',
    value: (unit) => (unit === undefined ? '正确数值' : `正确数值（${unit}）`),
    save: '保存正确答案',
    saved: '已保存，将计入下一次报告。',
    gone: '该答案已过期，无法纠正。请重新提问。',
  },
);

/** What became of the last answer that was corrected; `of`: the id of its prediction. */
interface Told {
  readonly of: string;
  readonly saved: boolean;
}

/**
 * What is said in the place of the question, of a prediction for the same input.
 *
 * @param told null: nothing was corrected yet.
 * @returns `saved` for every further prediction, `gone` for the one that is too old; null: the question.
 */
export function saidOf(told: Told | null, prediction: string): 'saved' | 'gone' | null {
  if (told === null) return null;
  if (told.saved) return 'saved';
  return told.of === prediction ? 'gone' : null;
}

/** The label to save: the chosen one, else the predicted class; NaN where a number is to be given first. */
export function labelOf(chosen: number | null, best: number | null, isNumber: boolean): number {
  return chosen ?? best ?? (isNumber ? Number.NaN : 0);
}

interface CorrectionProps {
  readonly data: DataSchema;
  readonly prediction: ReleasedPrediction;
  /** The index of the predicted class; null for a number. */
  readonly best: number | null;
}

/** Confirms or corrects an answer of the released model, once for each input: another model may answer it again. */
export function Correction({ data, prediction, best }: CorrectionProps) {
  const t = text();
  const classes = classesOf(data);
  const [chosen, setLabel] = useState<number | null>(null);
  const label = labelOf(chosen, best, classes === null);
  const [told, setTold] = useState<Told | null>(null);
  const save = async (value: number) => {
    const saved = await attempt('correct', () => participant().correct(prediction.id, value));
    if (saved !== undefined) setTold({ of: prediction.id, saved });
  };
  const said = saidOf(told, prediction.id);
  if (said !== null)
    return (
      <p class="small" role="status" data-testid={said === 'saved' ? 'corrected' : 'not-corrected'}>
        {t[said]}
      </p>
    );
  return (
    <div class="row" data-testid="correction">
      {best !== null && (
        <button type="button" class="button small" data-testid="is-right" onClick={() => void save(best)}>
          {t.right}
        </button>
      )}
      {classes === null ? (
        <input
          class="input"
          type="number"
          step="any"
          inputMode="decimal"
          aria-label={t.value(targetUnit(data))}
          data-testid="right-value"
          onInput={(event) => setLabel(event.currentTarget.valueAsNumber)}
        />
      ) : (
        <select
          class="input"
          aria-label={t.title}
          data-testid="right-class"
          value={label}
          onChange={(event) => setLabel(Number(event.currentTarget.value))}
        >
          {classes.map((name, index) => (
            <option key={name} value={index}>
              {name}
            </option>
          ))}
        </select>
      )}
      <button
        type="button"
        class="button small"
        data-testid="save-right"
        disabled={!Number.isFinite(label)}
        onClick={() => void save(label)}
      >
        {t.save}
      </button>
    </div>
  );
}
