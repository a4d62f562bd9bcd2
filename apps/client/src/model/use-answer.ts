import { computed } from '@preact/signals';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { attempt } from '../errors/attempt.ts';
import { participant } from '../link/participant.ts';
import { releasedModel, session } from '../link/session.ts';
import { watchInfo } from '../monitoring/watch.ts';
import { chosenId, chosenTask, stage } from '../run/run.ts';
import type { Comparison, ReleasedPrediction } from '../worker/api.ts';
import { newestOnly } from './newest-only.ts';

/** The chosen run, once it is over: its last model is open to everyone's questions. */
export const over = computed(() => (stage.value === 'over' ? chosenId.value : null));

/** Answers of both kinds of models; `undefined`: no question was asked. */
export type Asked =
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
export function useAnswer(question: () => Promise<Asked>) {
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
export async function asked(features: readonly number[]): Promise<Asked> {
  const released = await releasedAnswer(features);
  return { comparison: await participant().predictFeatures(features, over.value), released };
}

/** The released model's answer; null where nothing is released, or the coordinator cannot be reached to ask. */
export async function releasedAnswer(
  input: ImageBitmap | readonly number[],
): Promise<ReleasedPrediction | null> {
  if (releasedNow.value === null) return null;
  return (await attempt('ask released', () => participant().predictReleased(input))) ?? null;
}
