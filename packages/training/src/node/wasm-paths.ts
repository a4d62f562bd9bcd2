import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';

/** Path of tfjs's WASM files in Node: the installed package. */
export function wasmPaths(): string {
  return dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm')) + sep;
}
