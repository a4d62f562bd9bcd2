export { registerConv2DGradients } from './conv2d-gradients.ts';
export { registerDepthwiseGradients } from './depthwise-gradients.ts';
export { registerMatMul } from './matmul.ts';
export { registerMaxPoolGradient } from './max-pool-gradient.ts';
export { registerSamePadding } from './same-padding.ts';
export { registerSegmentSum } from './segment-sum.ts';
