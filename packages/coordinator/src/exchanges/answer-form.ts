import type { Bounds, Contribution, Limits, Measures, Pipeline, Steps } from '@coppice/federation';
import {
  type Answer,
  type Codec,
  type ContributionLayout,
  CoppiceError,
  contributionBytes,
  contributionHash,
  contributionSize,
  decodeFrame,
  decodeHeader,
  FRAME_HEADER_BYTES,
  type FrameExpectation,
  frameBytes,
  type Section,
  sectionLayout,
  sectionsOf,
} from '@coppice/protocol';
import { crc32InSteps, nativeCrc32 } from '../native-crc32.ts';

/** The form of one kind of answers in a run: their layout, their codec, and the check of their measures. */
export class AnswerForm {
  readonly sections: readonly Section[];
  readonly #pipeline: Pick<Pipeline, 'onContribution'>;
  readonly #expected: FrameExpectation;
  readonly #maxWeight: number;
  readonly #checkMeasures: (measures: Measures, answer: Pick<Answer, 'weight'>) => void;

  /**
   * @param options.maxWeight the largest weight that an answer may claim; left out, any.
   * @param options.checkMeasures throws a CoppiceError `update-measure` for implausible measures.
   */
  constructor({
    layout,
    codec,
    pipeline,
    maxWeight = Number.POSITIVE_INFINITY,
    checkMeasures,
  }: {
    layout: ContributionLayout;
    codec: Codec;
    pipeline: Pick<Pipeline, 'onContribution'>;
    maxWeight?: number;
    checkMeasures: (measures: Measures, answer: Pick<Answer, 'weight'>) => void;
  }) {
    this.sections = sectionsOf(layout);
    this.#pipeline = pipeline;
    this.#checkMeasures = checkMeasures;
    this.#maxWeight = maxWeight;
    this.#expected = {
      kind: 'contribution',
      codec,
      layoutHash: contributionHash(layout),
      parameters: contributionSize(layout),
      bytes: (of) => contributionBytes(of, this.sections),
    };
  }

  /** Number of float32 values in an answer. */
  get parameters(): number {
    return this.#expected.parameters;
  }

  /**
   * Reads the header of an answer whose payload follows in pieces.
   *
   * @returns the size of its payload in bytes.
   * @throws CoppiceError `update-examples`, `frame-invalid`, `update-shape`
   */
  payloadBytes(answer: Answer): number {
    this.#checkWeight(answer);
    return decodeHeader(frameBytes(answer.frame), this.#expected, nativeCrc32).payloadBytes;
  }

  /**
   * Decodes a whole answer, in slices. Its vectors stay in the frame until they are summed.
   *
   * @throws CoppiceError `update-examples`, `frame-invalid`, `update-shape`, `update-not-finite`, `update-measure`
   */
  *read(answer: Answer): Steps<Contribution> {
    this.#checkWeight(answer);
    const bytes = frameBytes(answer.frame);
    const payload = bytes.subarray(FRAME_HEADER_BYTES);
    const checksum = yield* crc32InSteps(payload);
    const frame = decodeFrame(bytes, this.#expected, (part) =>
      // Told by its place: the header has a checksum, too, and can be as long.
      part.byteOffset === payload.byteOffset ? checksum : nativeCrc32(part),
    );
    const contribution = yield* this.#pipeline.onContribution(frame.payload, this.sections);
    this.#checkMeasures(contribution.measures, answer);
    return contribution;
  }

  #checkWeight({ weight }: Answer): void {
    if (weight <= this.#maxWeight) return;
    throw new CoppiceError(
      'update-examples',
      `The update was trained on ${weight} examples; this run counts at most ${this.#maxWeight} of one participant.`,
    );
  }

  /**
   * Norm limits by group.
   *
   * @param bound larger answers are refused; @param counted larger answers are scaled down to this norm.
   */
  limits(bound: Bounds, counted: Bounds | null): Limits {
    return new Map(
      this.sections
        .filter(({ measures }) => !measures)
        .map((section) => {
          const { group } = section;
          const shorter = counted?.get(group);
          return [
            group,
            {
              layout: sectionLayout(section),
              bound: bound.get(group) ?? UNBOUNDED,
              ...(shorter === undefined ? {} : { counted: shorter }),
            },
          ];
        }),
    );
  }
}

const UNBOUNDED = { trainable: Number.POSITIVE_INFINITY, nonTrainable: Number.POSITIVE_INFINITY };
