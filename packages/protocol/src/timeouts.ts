/**
 * The timeouts of the whole system that no plan sets, in milliseconds. A timeout is a wait after which
 * something is given up. With the plan's deadline and grace there are six; docs/timeouts.md tells of them all.
 */

/** How long whoever was asked something may take to answer: a piece of a large update over a slow line, and its turn to be counted. */
export const ANSWER_TIMEOUT = 120_000;

/** The longest time that a new model's check may take: to build it, and to take one step on one example. */
export const CHECK_TIMEOUT = 60_000;
/** The longest time that any other job on a model may take: to lay it out, to draw its weights, to evaluate it. */
export const MODEL_JOB_TIMEOUT = 2 * CHECK_TIMEOUT;

/** How often a connection says that it lives. */
export const HEARTBEAT_INTERVAL = 25_000;
/** How long a connection may say nothing at all before it is taken for dead. */
export const SILENCE_TIMEOUT = 45_000;

/** How long the coordinator waits for what is its own: a locked database, a server of records or weights to connect to, its own end. */
export const REST_TIMEOUT = 5_000;

/** The least grace after a restart of the coordinator, when everybody's connection was lost at once. */
export const GRACE_AFTER_RESTART = 30_000;

/*
 * Pauses before the same thing is tried again. Nothing is given up by them.
 */

/** Between a lost connection and the first attempt at the next, doubled each time up to the longest. */
export const FIRST_PAUSE = 500;
/** The longest pause between attempts to connect, and the one after being told to come back later. */
export const LONGEST_PAUSE = 5_000;
