/**
 * The timeouts of the whole system that no plan sets, in milliseconds. A timeout is a wait after which
 * something is given up. With the plan's deadline and grace there are six; docs/timeouts.md tells of them all.
 */

/** Longest wait for an answer: a piece of a large update over a slow line, and its turn to be counted. */
export const ANSWER_TIMEOUT = 120_000;

/** Longest check of a new model: building it, and one step on one example. */
export const CHECK_TIMEOUT = 60_000;
/** Longest other job on a model: laying it out, drawing its weights, evaluating it. */
export const MODEL_JOB_TIMEOUT = 2 * CHECK_TIMEOUT;

/** Interval of the heartbeat of a connection. */
export const HEARTBEAT_INTERVAL = 25_000;
/** Longest silence before a connection is taken for dead. */
export const SILENCE_TIMEOUT = 45_000;

/**
 * Longest wait of the coordinator for its own resources: a locked database, a connection to a server of records or
 * weights, its own shutdown.
 */
export const REST_TIMEOUT = 5_000;

/** Least grace after a restart of the coordinator, when all connections were lost at once. */
export const GRACE_AFTER_RESTART = 30_000;

/*
 * Pauses before a retry. Nothing is given up after them.
 */

/** Pause before the first attempt to reconnect, doubled each time up to the longest. */
export const FIRST_PAUSE = 500;
/** Longest pause between attempts to connect, and the pause after an answer to come back later. */
export const LONGEST_PAUSE = 5_000;
