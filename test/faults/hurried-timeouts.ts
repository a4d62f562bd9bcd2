/** The system's own timeouts in their proportions, fifty times as fast; model jobs keep theirs. */
export const hurried = {
  ANSWER_TIMEOUT: 2400,
  HEARTBEAT_INTERVAL: 500,
  SILENCE_TIMEOUT: 900,
  REST_TIMEOUT: 5000,
  GRACE_AFTER_RESTART: 600,
  FIRST_PAUSE: 10,
  LONGEST_PAUSE: 100,
  CHECK_TIMEOUT: 60_000,
  MODEL_JOB_TIMEOUT: 120_000,
};
