// The menu of the WebAssembly module: what is exported here can be called from TypeScript.
export { fromBytes, multiplyAdd } from './vector';
export { columnSums, matmul, matmulTransposedA, matmulTransposedB, transpose } from './matmul';
export {
  multiply,
  relu,
  reluGradient,
  scale,
  sigmoid,
  sigmoidGradient,
  softmax,
  softmaxGradient,
  tanh,
  tanhGradient,
} from './activations';
export { softmaxCrossEntropy, squaredError } from './losses';
export { adam, addPenaltyGradient, penalty, pull } from './optimizers';
export { col2im, im2col } from './convolution';
export { averagePool, averagePoolGradient, maxPool, maxPoolGradient } from './pooling';
export { columnMoments, normalize, normalizeGradient } from './batch-norm';
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
export { decodeInt8, encodeInt8, encodeInt8Nearest } from './int8';
export { decodeInt4, encodeInt4 } from './int4';
