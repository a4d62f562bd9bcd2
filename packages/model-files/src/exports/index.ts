// The door of exports: files of a trained model for other programs. Pure; `writeOnnx` is what is large here.
export { writeFloat16 } from './float16.ts';
export type { GraphLayer, GraphTensor, GraphWeight, LayerCall, ModelGraph } from './graph.ts';
export { writeOnnx } from './onnx.ts';
