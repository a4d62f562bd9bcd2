/** A day, in milliseconds: the unit in which credentials are valid. */
export const DAY = 24 * 60 * 60 * 1000;
/** A use of a credential is written down when the last one was so long ago: not each request is a write. */
export const TOUCH_AFTER = 60_000;
