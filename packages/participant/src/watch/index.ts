// The menu of a device's counts alone, for benchmarks. Inside the room, import the file.
export { Counting } from './counting.ts';
export { termsOf } from './terms.ts';
