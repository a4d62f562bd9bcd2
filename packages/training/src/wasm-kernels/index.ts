export { registerConv2DGradients } from './conv2d-gradients.ts';
export { registerMatMul } from './matmul.ts';
