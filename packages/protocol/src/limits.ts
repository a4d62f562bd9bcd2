/** Limits of the wire, in one place. Sizes in bytes. */

/**
 * Room for a control message beside its frame. What participants say needs no check against it: every
 * field of an upward schema is bounded, so the largest is a hundredth of this.
 */
export const MAX_CONTROL_BYTES = 64 * 1024;

/** The largest model that one frame may carry: 64 M float32 parameters. */
export const MAX_MODEL_BYTES = 256 * 1024 * 1024;

/**
 * What Socket.IO must let through in one message: a frame of the largest model, its header and its
 * control message. Socket.IO's own default is 1 MB, over which a peer sees a bare `transport close`.
 */
export const MAX_MESSAGE_BYTES = MAX_MODEL_BYTES + 2 * MAX_CONTROL_BYTES;

/** Steps from one model to another that are larger than this are not sent; the whole model is. */
export const MAX_STEPS_BYTES = 1024 * 1024;

/** The longest free text (names, reasons) in a control message, in UTF-16 code units. */
export const MAX_TEXT = 500;

/** The largest example count that one update may claim; a run's plan may say less. */
export const MAX_EXAMPLES = 1_048_576;

/**
 * The largest loss that a participant may report, either way. What is larger is told as `null`: one
 * such number in a mean would leave nothing of the others.
 */
export const MAX_LOSS = 1e12;

/** The longest training that an update may report, in milliseconds: a week. */
export const MAX_TRAINING_MILLISECONDS = 7 * 24 * 3600 * 1000;
