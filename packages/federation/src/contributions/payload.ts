import {
  type Codec,
  CoppiceError,
  contributionBytes,
  type Section,
  sectionBytes,
  sectionLayout,
} from '@coppice/protocol';
import { payloadValuesInSteps } from '../codecs/decode.ts';
import { float32Bytes, toFloat32, type Values } from '../codecs/values.ts';
import { finish, type Steps } from '../steps.ts';
import { decodeMeasures, type Measures } from './measures.ts';

/** A contribution's numbers, decoded where they are read. */
export interface Contribution {
  /** By group, in the layout's order; measures are not among them. */
  readonly vectors: ReadonlyMap<string, Values>;
  readonly measures: Measures;
}

/**
 * Reads a contribution's payload: section after section, none of it copied but the measures.
 *
 * @throws CoppiceError `frame-invalid` where no contribution can be in it, `update-not-finite`, `update-measure`.
 */
export function readContribution(
  codec: Codec,
  payload: Uint8Array,
  sections: readonly Section[],
): Contribution {
  return finish(readContributionInSteps(codec, payload, sections));
}

/** The same, a piece of the payload at a time. */
export function* readContributionInSteps(
  codec: Codec,
  payload: Uint8Array,
  sections: readonly Section[],
): Steps<Contribution> {
  if (payload.byteLength !== contributionBytes(codec, sections))
    throw new CoppiceError('frame-invalid', `${payload.byteLength} bytes are no ${codec} contribution.`);
  const vectors = new Map<string, Values>();
  let measures: Measures = new Map();
  let at = 0;
  for (const section of sections) {
    const part = payload.subarray(at, at + sectionBytes(codec, section));
    at += part.byteLength;
    if (section.measures) measures = decodeMeasures(section.tensors, toFloat32(float32Bytes(part)));
    else {
      const values = yield* payloadValuesInSteps({ codec, payload: part }, sectionLayout(section));
      vectors.set(section.group, values);
    }
  }
  return { vectors, measures };
}
