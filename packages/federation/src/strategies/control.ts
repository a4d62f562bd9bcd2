/** The group of a participant's change of its control variate, and the name of the server's among what is given. */
export const CONTROL = 'control';
