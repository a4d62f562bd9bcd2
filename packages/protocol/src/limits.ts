/** Limits of the wire, in one place. Sizes in bytes. */

/**
 * Room for a control message beside its frame. Messages up need no check against it: every field of their schemas is
 * bounded, so that the largest is a hundredth of this.
 */
export const MAX_CONTROL_BYTES = 64 * 1024;

/** The largest model that one frame may carry: 64 M float32 parameters. */
export const MAX_MODEL_BYTES = 256 * 1024 * 1024;

/** The largest contribution: the change of the largest model, one vector as long as it, and the measures. */
export const MAX_CONTRIBUTION_BYTES = 2 * MAX_MODEL_BYTES + 64 * 1024;

/**
 * Largest frame that travels whole; the payload of a larger one follows its header in pieces of this size. At 1 MiB,
 * ordinary models (MNIST's has 0.8 MB) still take one message; no connection can make the coordinator buffer more than
 * this unchecked; and half a megabit a second carries a piece, and the heartbeat behind it, within `SILENCE_TIMEOUT`.
 */
export const PIECE_BYTES = 1024 * 1024;

/** Unanswered pieces in flight to or from one connection. Two keep a line busy. */
export const PIECE_WINDOW = 4;

/**
 * Socket.IO's limit for one message: a piece, in base64 as long polling carries it, and its control message. The same
 * for all models and connections, since messages are buffered before a byte is checked.
 */
export const MAX_MESSAGE_BYTES = Math.ceil(PIECE_BYTES / 3) * 4 + MAX_CONTROL_BYTES;

/** The most bytes that a connection may send before it has proved its identity: a hello and a proof have one kilobyte. */
export const MAX_UNPROVEN_BYTES = 64 * 1024;

/** The most participants that a round asks: one sum takes as many contributions. */
export const MAX_COHORT = 65_536;

/** Largest steps from one model to another; where they would be larger, the whole model is sent. */
export const MAX_STEPS_BYTES = 1024 * 1024;

/** The most runs that `welcome` lists. A hundred with the longest titles are far below a message's limit. */
export const MAX_LISTED_RUNS = 100;

/** The most runs that one participant may watch. */
export const MAX_WATCHED_RUNS = 32;

/** The most tasks whose questions one connection may offer answers to. */
export const MAX_MONITORED_TASKS = 32;

/** The longest free text (names, reasons) in a control message, in UTF-16 code units. */
export const MAX_TEXT = 500;

/** The longest evidence of a release, as JSON, in UTF-16 code units. */
export const MAX_EVIDENCE = 32 * 1024;

/** The longest secret of an invitation. */
export const MAX_INVITATION = 100;

/** The largest example count that one update may claim; a run's plan may set less. */
export const MAX_EXAMPLES = 1_048_576;

/**
 * The largest |loss| that a participant may report. Larger ones are reported as `null`: a single such number would
 * dominate a mean.
 */
export const MAX_LOSS = 1e12;

/** The longest training that an update may report, in milliseconds: a week. */
export const MAX_TRAINING_MILLISECONDS = 7 * 24 * 3600 * 1000;

/** The most classes whose own measures are stored and told with those over all. */
export const MAX_TOLD_CLASSES = 100;
