// The menu of the WebAssembly module: what is exported here can be called from TypeScript.
export { multiplyAdd } from './vector';
export { addFloat32 } from './exact-sum';
