// The menu of this room. Inside the room, import the file.
export {
  fastestVariant,
  type KernelInstance,
  kernelInstance,
  runs,
  type Variant,
  variants,
} from './instance.ts';
export { Int64s } from './int64s.ts';
export type { Kernels } from './kernels.ts';
