// The menu of the WebAssembly module: what is exported here can be called from TypeScript.
export { multiplyAdd } from './vector';
export { addFloat32 } from './exact-sum';
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
