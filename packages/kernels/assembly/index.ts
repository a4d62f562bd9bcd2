// The menu of the WebAssembly module: what is exported here can be called from TypeScript.
export { multiplyAdd } from './vector';
export {
  addLargeUnits,
  addUnits,
  carry,
  largestBits,
  meanOfLargeUnits,
  meanOfUnits,
  settle,
  sumOfSquares,
} from './exact-sum';
export { decodeFloat16, encodeFloat16 } from './float16';
export { decodeInt8, encodeInt8 } from './int8';
export { decodeInt4, encodeInt4 } from './int4';
