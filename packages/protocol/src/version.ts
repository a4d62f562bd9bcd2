/**
 * The version of the participant's wire, negotiated at connection.
 *
 * History (newest first). Editing any message schema without a new line here fails
 * `version.test.ts`, because a participant that is open in someone's browser tab since last week
 * speaks last week's protocol. The digest of a released version is never edited; a version that is not released yet may
 * still change.
 *
 * - 4 (not released): questions and answers. Messages `ask` and `run-end` (down), `answer`, `answer-piece`, `parcel`,
 *   `counted` and `watch` (up) in place of round-start, evaluate, update, update-piece, evaluation and model-piece; a ticket in place
 *   of round, attempt and checkpoint; frames of kind 2 are contributions, laid out by `answers` in the reply to join;
 *   `ticket` in the reply to pull; `retry` and `retryAfter` in errors, `current` is gone; `oldest` and `features` in hello and welcome; `welcome` lists
 *   runs that are not over, and `run` goes to those that joined or watch. What comes down is read tolerantly. Models with
 *   frozen tensors come in parts: `moving` in parcels, the parcel `frozen`, `parts` in pull. Columns of categories, scaled targets and
 *   several numbers in a task, `huberDelta`, `classWeights`, `metrics` and `threshold`, two more losses; `values` in metrics;
 *   `range` in the data of pictures. `recipe` in the reply to join. `heldOut`, `licence` and `weights` in tasks, and `groups` in those of tables. Error codes `not-joined`,
 *   where `update-not-selected` was sent, `ticket-invalid`, `update-measure`, `message-unknown`, `plan-unsupported`,
 *   `consent-outdated`, `report-mismatch`, `run-given-up`. Agreed scaling: the question `statistics` of a run, without
 *   parcels, `statistics` in `answers`, `scaling` (down), the phase `scaling`, `scaling`, `agreed` and a target's `min` and `max` in tasks. Reports on a task: `monitor` (up), `task` in the place of `run` in `ask`,
 *   `answer` and `notice`, `release` (down) and `releases` in welcome, `ticket` in the reply to monitor; `older` in a
 *   question to compare.
 * - 3: error codes `too-many-connections`, `too-many-identities`, `rate-limited`.
 * - 3: admission: `invitation` in join, `admission` in a run's summary, `run` in notice; error codes
 *   `run-not-admitted`, `invitation-invalid`, `participant-banned`.
 * - 3: error code `too-many-offences`: in the notice that ends a connection, and at the door while it lasts.
 * - 3: frames larger than 1 MiB travel in pieces: messages update-piece, model-piece (up); `next` in the
 *   answer to update; stage `receiving`; error code `update-not-offered`. A message has 1.4 MiB at most.
 * - 3: codecs `float16`, `int8`, `int4`, `top1` and `top10` beside `float32`, and the plan's `uploadCodec`,
 *   `downloadCodec` and `downloadForm`; frames of kind `steps`, `base` beside frames down, `has` in join and pull,
 *   `codec` in model-piece.
 * - 3: `proximal` in the plan.
 * - 2: a key pair in place of a secret: hello carries the key, challenge (down) and prove (up) come first;
 *   bounds on what participants tell of themselves (losses, counts, times); `maxNorm` in the plan; error
 *   codes `update-norm`, `identity-unproven`.
 * - 1: first version. Messages: hello, join, leave, availability, pull, progress, decline, update,
 *   evaluation (up); welcome, run, round-start, round-end, evaluate, peers, notice (down). Frames: version 1.
 */
export const PROTOCOL_VERSION: number = 4;

/** The newest version that was released: its messages do not change any more, nor do those of the ones before it. */
export const RELEASED_VERSION: number = 3;

/**
 * The oldest protocol version that this coordinator still serves. A participant below it is told
 * `protocol-too-old`, and the page asks its reader to reload.
 */
export const OLDEST_SERVED_VERSION = 4;
