/** Pauses before a lost connection is tried again, of which a coordinator with many deaths costs one each. */
export const quickReturns = { FIRST_PAUSE: 20, LONGEST_PAUSE: 200 };
