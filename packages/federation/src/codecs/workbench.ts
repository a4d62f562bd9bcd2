import { type KernelInstance, kernelInstance } from '@coppice/kernels';
import { readingRoom } from './values.ts';

/** Numbers worked on at once; a multiple of every codec's block. */
const SLICE = 2 ** 14;

let instance: KernelInstance | null = null;

/** A small memory with kernels, for work that leaves nothing in it: room for a slice, its bytes and their scales. */
export function workbench(): { readonly memory: KernelInstance; readonly slice: number } {
  instance ??= kernelInstance(readingRoom(SLICE));
  return { memory: instance, slice: SLICE };
}
