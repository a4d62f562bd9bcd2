import {
  float32Values,
  type NormLimit,
  normBound,
  type Pipeline,
  payloadValues,
  toFloat32,
  type Values,
} from '@coppice/federation';
import {
  CoppiceError,
  decodeFrame,
  frameBytes,
  type Layout,
  type Metrics,
  modelSize,
  type Plan,
  type Update,
} from '@coppice/protocol';
import { nativeCrc32 } from '../native-crc32.ts';
import type { OpenRound } from './open-round.ts';

/** What an update must agree with. */
export interface UpdateRules {
  readonly open: OpenRound | null;
  /** The round that comes next: the open one, or the one after the last committed. */
  readonly round: number;
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
  const { open, plan, layout } = rules;
  if (open === null || update.round !== open.round || update.attempt !== open.attempt) {
    const late = update.round < rules.round || open === null || update.round === open.round;
    throw late
      ? new CoppiceError(
          'update-late',
          `Round ${update.round} has closed. The update does not count; go on with the current model.`,
        )
      : new CoppiceError(
          'update-stale',
          `Round ${update.round} has not begun; the run is at round ${rules.round}.`,
        );
  }
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
  const frame = decodeFrame(
    frameBytes(update.frame),
    { kind: 'update', codec: plan.uploadCodec, layoutHash: rules.layoutHash, ...modelSize(layout) },
    nativeCrc32,
  );
  const { pipeline } = rules;
  const values = payloadValues(frame, layout);
  const context = { layout, round: open.round, examples: update.examples };
  return {
    values: pipeline.undone ? float32Values(pipeline.onServer(toFloat32(values), context)) : values,
    limit: { layout, norm: normBound(plan) },
  };
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
