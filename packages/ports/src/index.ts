export { type Clock, ManualClock } from './clock.ts';
export { integerBelow, normal, type RandomSource, seededRandom, shuffle, uniform } from './random.ts';
