import {
  finish,
  float32Values,
  type NormLimit,
  normBound,
  type Pipeline,
  payloadValues,
  type Steps,
  toFloat32InSteps,
  type Values,
} from '@coppice/federation';
import {
  CoppiceError,
  decodeFrame,
  decodeHeader,
  FRAME_HEADER_BYTES,
  type Frame,
  type FrameExpectation,
  frameBytes,
  type Layout,
  type Metrics,
  modelSize,
  type Plan,
  type Update,
} from '@coppice/protocol';
import { crc32InSteps, nativeCrc32 } from '../native-crc32.ts';
import type { OpenRound } from './open-round.ts';

/** An attempt at a round, both counted from 1. */
export interface Attempt {
  readonly round: number;
  readonly attempt: number;
}

/** What an update must agree with. */
export interface UpdateRules {
  readonly open: OpenRound | null;
  /** The attempt that begins next: of the open round, or of the one after the last committed. */
  readonly next: Attempt;
  readonly plan: Plan;
  readonly layout: Layout;
  readonly layoutHash: Uint8Array;
  readonly pipeline: Pipeline;
}

/** An update that may be counted if its values are sound: looked at where they are summed, once. */
export interface ValidUpdate {
  /** They lie in the update's frame. */
  readonly values: Values;
  readonly limit: NormLimit;
}

/**
 * Step 4: an update is refused by name, or its values come back as they will be summed.
 * Cheap checks come first, so that nonsense costs little. Nothing is changed here. What the values
 * themselves may be is checked where they are summed.
 *
 * @throws CoppiceError `update-*` or `frame-invalid`.
 */
export function validate(participant: string, update: Update, rules: UpdateRules): ValidUpdate {
  const { round } = checkWanted(participant, update, rules);
  const frame = decodeFrame(frameBytes(update.frame), expectation(rules), nativeCrc32);
  return finish(valid(frame, { round, examples: update.examples }, rules));
}

/**
 * The same for a large update, a piece of the model at a time. The round may go on meanwhile: whether the update
 * is still waited for must be asked again.
 *
 * @throws CoppiceError as `validate`.
 */
export function* validateInSteps(
  participant: string,
  update: Update,
  rules: UpdateRules,
): Steps<ValidUpdate> {
  const { round } = checkWanted(participant, update, rules);
  const bytes = frameBytes(update.frame);
  const payload = bytes.subarray(FRAME_HEADER_BYTES);
  const checksum = yield* crc32InSteps(payload);
  const frame = decodeFrame(bytes, expectation(rules), (part) =>
    part.byteLength === payload.byteLength ? checksum : nativeCrc32(part),
  );
  return yield* valid(frame, { round, examples: update.examples }, rules);
}

function* valid(
  frame: Frame,
  { round, examples }: { round: number; examples: number },
  { plan, layout, pipeline }: UpdateRules,
): Steps<ValidUpdate> {
  const values = payloadValues(frame, layout);
  const limit = { layout, bound: normBound(plan) };
  if (!pipeline.undone) return { values, limit };
  const came = yield* toFloat32InSteps(values);
  return { values: float32Values(pipeline.onServer(came, { layout, round, examples })), limit };
}

/**
 * All of it that can be said of an update by its header, before a byte of its payload is taken.
 *
 * @returns the bytes that its payload has: what the run's layout and the codec say.
 * @throws CoppiceError as `validate`.
 */
export function validateHeader(participant: string, update: Update, rules: UpdateRules): number {
  checkWanted(participant, update, rules);
  return decodeHeader(frameBytes(update.frame), expectation(rules), nativeCrc32).payloadBytes;
}

function expectation({ plan, layout, layoutHash }: UpdateRules): FrameExpectation {
  return { kind: 'update', codec: plan.uploadCodec, layoutHash, ...modelSize(layout) };
}

/**
 * Whether this update of this participant is waited for, whatever is in its frame.
 *
 * @throws CoppiceError as `validate`.
 */
export function checkWanted(
  participant: string,
  update: Update,
  { open: collecting, plan, next }: UpdateRules,
): OpenRound {
  const open = ensureOpen(update, collecting, next);
  if (update.checkpoint !== open.parent) {
    throw new CoppiceError(
      'update-stale',
      `The update began from another model than round ${open.round} did. Go on with the current model.`,
    );
  }
  const member = open.cohort.get(participant);
  if (member === undefined) {
    throw new CoppiceError(
      'update-not-selected',
      `This participant was not selected for round ${open.round}.`,
    );
  }
  if (member.outcome === 'accepted') {
    throw new CoppiceError(
      'update-duplicate',
      `An update of this participant was already counted in round ${open.round}.`,
    );
  }
  if (member.outcome !== 'asked' && member.outcome !== 'away') {
    throw new CoppiceError(
      'update-late',
      `This participant has left round ${open.round}. The update does not count.`,
    );
  }
  if (update.examples > plan.maxExamples) {
    throw new CoppiceError(
      'update-examples',
      `The update claims ${update.examples} examples; this run counts at most ${plan.maxExamples}.`,
    );
  }
  if (update.evaluation !== null) checkMeasured(update.evaluation, plan);
  return open;
}

/**
 * Whether the attempt that somebody speaks of is the open one.
 *
 * @param next the attempt that begins next.
 * @throws CoppiceError `update-late` where it has closed, `update-stale` where it has not begun.
 */
export function ensureOpen({ round, attempt }: Attempt, open: OpenRound | null, next: Attempt): OpenRound {
  if (open?.round === round && open.attempt === attempt) return open;
  const begun = round < next.round || (round === next.round && attempt < next.attempt);
  throw begun
    ? new CoppiceError(
        'update-late',
        `Attempt ${attempt} at round ${round} has closed. The update does not count; go on with the current model.`,
      )
    : new CoppiceError(
        'update-stale',
        `Attempt ${attempt} at round ${round} has not begun; attempt ${next.attempt} at round ${next.round} begins next. The update does not count.`,
      );
}

/**
 * What a participant measured counts by its examples, too.
 *
 * @throws CoppiceError `update-examples`
 */
export function checkMeasured({ examples }: Metrics, plan: Plan): void {
  if (examples <= plan.maxExamples) return;
  throw new CoppiceError(
    'update-examples',
    `The measurement claims ${examples} examples; this run counts at most ${plan.maxExamples}.`,
  );
}
