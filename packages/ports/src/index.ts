export { type Clock, ManualClock } from './clock.ts';
export { coalesce } from './coalesce.ts';
export { integerBelow, normal, type RandomSource, seededRandom, shuffle, uniform } from './random.ts';
export { secretRandom } from './secret-random.ts';
