import { catalogue } from '@coppice/ui';

/** Names of the backends for people. */
export const backendWords = catalogue(
  {
    planned: 'WebAssembly, by a plan made for this model',
    webgpu: 'graphics processor (WebGPU)',
    webgl: 'graphics processor (WebGL)',
    wasm: 'WebAssembly (TensorFlow.js)',
    cpu: 'plain JavaScript',
  },
  {
    planned: 'WebAssembly（为本模型制定的计划）',
    webgpu: '图形处理器（WebGPU）',
    webgl: '图形处理器（WebGL）',
    wasm: 'WebAssembly（TensorFlow.js）',
    cpu: '普通 JavaScript',
  },
);
