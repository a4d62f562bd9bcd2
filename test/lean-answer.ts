import {
  encodeMeasures,
  encodeValues,
  type Measures,
  measuresOf,
  tallyMeasures,
} from '@coppice/federation';
import {
  type Codec,
  contributionBytes,
  contributionHash,
  contributionSize,
  encodeFrame,
  float32Payload,
  type Joined,
  type Section,
  sectionLayout,
  sectionsOf,
} from '@coppice/protocol';

/** The examples that a lean answer is of: its weight. */
export const LEAN_EXAMPLES = 10;

/**
 * The frame of an answer of somebody that trains on nothing: small changes, and measures of ten examples.
 *
 * @param value the change of the parameter at a place.
 */
export function leanAnswer(
  { answers }: Pick<Joined, 'answers'>,
  codec: Codec,
  value: (at: number) => number,
): Uint8Array {
  const layout = answers.train;
  const tally = { examples: LEAN_EXAMPLES, loss: 5, lossExamples: LEAN_EXAMPLES, hits: 0, classes: null };
  const measures: Measures = new Map([...noMeasures(layout), ...tallyMeasures('train', tally)]);
  const sections = sectionsOf(layout);
  const payload = new Uint8Array(contributionBytes(codec, sections));
  let at = 0;
  for (const section of sections) {
    const part = section.measures
      ? float32Payload(encodeMeasures(measuresOf(layout), measures))
      : changes(section, codec, value);
    payload.set(part, at);
    at += part.byteLength;
  }
  return encodeFrame({
    kind: 'contribution',
    codec,
    layoutHash: contributionHash(layout),
    parameters: contributionSize(layout),
    payload,
  });
}

function changes(section: Section, codec: Codec, value: (at: number) => number): Uint8Array {
  const values = Float32Array.from({ length: section.parameters }, (_, i) => value(i));
  return encodeValues(codec, values, sectionLayout(section), 7);
}

function noMeasures(layout: Joined['answers']['train']): Measures {
  return new Map(
    measuresOf(layout).map(({ name, shape }) => [
      name,
      new Float64Array(shape.reduce((size, dimension) => size * dimension, 1)),
    ]),
  );
}
