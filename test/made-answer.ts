import { encodeMeasures, encodeValues, measuresOf, tallyMeasures } from '@coppice/federation';
import {
  type Codec,
  classesOf,
  contributionBytes,
  contributionHash,
  contributionSize,
  encodeFrame,
  float32Payload,
  type Joined,
  sectionLayout,
  sectionsOf,
} from '@coppice/protocol';

/**
 * The frame of an untrained answer to a question to train: these steps, a loss of 0.5 on each of `weight` examples, and
 * nothing held out.
 *
 * @param step the step of the parameter with this index in its group.
 */
export function madeAnswerFrame(
  { answers, task }: Pick<Joined, 'answers' | 'task'>,
  { codec, weight, step }: { codec: Codec; weight: number; step: (i: number) => number },
): Uint8Array {
  const sections = sectionsOf(answers.train);
  const payload = new Uint8Array(contributionBytes(codec, sections));
  const none = classesOf(task.data)?.map(() => 0) ?? null;
  const measures = new Map([
    ...tallyMeasures('train', {
      examples: weight,
      loss: weight / 2,
      lossExamples: weight,
      hits: null,
      classes: null,
    }),
    ...tallyMeasures('held', {
      examples: 0,
      loss: 0,
      lossExamples: 0,
      hits: none && 0,
      classes: none && { examples: none, hits: none },
    }),
  ]);
  let at = 0;
  for (const section of sections) {
    const part = section.measures
      ? float32Payload(encodeMeasures(measuresOf(answers.train), measures))
      : encodeValues(
          codec,
          Float32Array.from({ length: section.parameters }, (_, i) => step(i)),
          sectionLayout(section),
          7,
        );
    payload.set(part, at);
    at += part.byteLength;
  }
  return encodeFrame({
    kind: 'contribution',
    codec,
    layoutHash: contributionHash(answers.train),
    parameters: contributionSize(answers.train),
    payload,
  });
}
