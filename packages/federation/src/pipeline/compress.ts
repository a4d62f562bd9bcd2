import {
  type Codec,
  contributionBytes,
  float32Payload,
  type Section,
  sectionLayout,
} from '@coppice/protocol';
import { payloadValues } from '../codecs/decode.ts';
import { encodeValues } from '../codecs/encode.ts';
import { toFloat32 } from '../codecs/values.ts';
import { readContributionInSteps } from '../contributions/payload.ts';
import { trainableNorm } from '../metrics.ts';
import { scaledSteps } from './clip.ts';
import type { EncodingStep } from './pipeline.ts';

/** Attempts to scale values down until their rounded form keeps the norm bound. */
const TRIES = 6;

/**
 * Writes a contribution as bytes: section after section by the codec, measures as float32. A codec that leaves numbers out
 * keeps them, by group, and adds them to the next contribution (error feedback: Karimireddy et al., "Error Feedback Fixes
 * SignSGD and other Gradient Compression Schemes", ICML 2019).
 *
 * Random rounding can make a vector longer than its bound; it is then scaled down a little, so that the arriving one
 * keeps it.
 */
export function compress(codec: Codec): EncodingStep {
  return {
    name: 'compress',
    takes: 'numbers',
    gives: 'bytes',
    carry: (group, kept) => kept[feedbackOf(group)] ?? null,
    onParticipant(vectors, measures, bounds, { sections, seed, into }) {
      const payload = into ?? new Uint8Array(contributionBytes(codec, sections));
      const arrives = new Map<string, Float32Array>();
      const kept: Record<string, Float32Array> = {};
      let at = 0;
      for (const [index, section] of sections.entries()) {
        const values = section.measures ? measures : vectors.get(section.group);
        if (values?.length !== section.parameters)
          throw new RangeError(`the group ${section.group} has ${values?.length ?? 'no'} numbers`);
        const bound = bounds.get(section.group)?.trainable ?? Number.POSITIVE_INFINITY;
        const written = section.measures
          ? { payload: float32Payload(measures), arrives: measures }
          : encoded(codec, values, section, { seed: (seed + index) >>> 0, bound });
        payload.set(written.payload, at);
        at += written.payload.byteLength;
        if (section.measures) continue;
        arrives.set(section.group, written.arrives);
        if (needsFeedback(codec)) kept[feedbackOf(section.group)] = leftOut(values, written.arrives);
      }
      return { payload, arrives, kept };
    },
    onContribution: (payload, sections) => readContributionInSteps(codec, payload, sections),
  };
}

function encoded(
  codec: Codec,
  values: Float32Array,
  section: Section,
  { seed, bound }: { seed: number; bound: number },
): { payload: Uint8Array; arrives: Float32Array } {
  const layout = sectionLayout(section);
  let shorter = values;
  for (let attempt = 1; ; attempt++) {
    const payload = encodeValues(codec, shorter, layout, seed);
    if (codec === 'float32') return { payload, arrives: shorter };
    const arrives = toFloat32(payloadValues({ codec, payload }, layout));
    if (!Number.isFinite(bound) || attempt === TRIES) return { payload, arrives };
    const norm = trainableNorm(arrives, layout);
    if (norm <= bound) return { payload, arrives };
    // Rounding may undo a small step, so each is larger than the one before: 1e-5, 1e-4, … 0.1 of the length.
    const margin = 1e-6 * 10 ** attempt;
    shorter = scaledSteps(section, shorter, Math.min(1, bound / norm) * (1 - margin));
  }
}

/** Checks that a codec drops numbers, which error feedback must add to the next contribution. */
function needsFeedback(codec: Codec): boolean {
  return codec === 'top1' || codec === 'top10';
}

/** The name of a group's error feedback among the kept tensors. */
function feedbackOf(group: string): string {
  return `compress/${group}`;
}

function leftOut(values: Float32Array, arrives: Float32Array): Float32Array {
  const left = new Float32Array(values.length);
  for (let i = 0; i < left.length; i++) left[i] = (values[i] as number) - (arrives[i] as number);
  return left;
}
