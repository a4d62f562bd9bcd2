import { engine, type WasmModule } from './engine.ts';
import * as binaries from './generated/binaries.ts';
import type { Kernels } from './kernels.ts';
import { scalarKernels } from './scalar.ts';

/** From fastest to slowest: SIMD with fused multiply-add, SIMD, plain JavaScript. */
export const variants = ['relaxed', 'simd', 'scalar'] as const;
export type Variant = (typeof variants)[number];

const PAGE = 65_536;

/** Kernels together with the memory that they work on. */
export interface KernelInstance {
  readonly variant: Variant;
  readonly kernels: Kernels;
  /** The memory as it is now; views of it are stale after `reserve`. */
  readonly buffer: ArrayBuffer;
  /** Grows the memory to at least `bytes`; its contents stay. */
  reserve(bytes: number): void;
}

const binaryOf = { relaxed: binaries.relaxed, simd: binaries.simd } as const;
const modules = new Map<Variant, WasmModule | null>();

/** The compiled module of a variant, or null where this engine cannot run it. */
function moduleOf(variant: 'relaxed' | 'simd'): WasmModule | null {
  const known = modules.get(variant);
  if (known !== undefined) return known;
  const { WebAssembly } = engine;
  let module: WasmModule | null = null;
  if (WebAssembly !== undefined) {
    const bytes = Uint8Array.from(engine.atob(binaryOf[variant]), (char) => char.charCodeAt(0));
    try {
      if (WebAssembly.validate(bytes)) module = new WebAssembly.Module(bytes);
    } catch {
      // A content security policy may forbid what the engine could do.
    }
  }
  modules.set(variant, module);
  return module;
}

/** Checks that this engine supports a variant. */
export function runs(variant: Variant): boolean {
  return variant === 'scalar' || moduleOf(variant) !== null;
}

/** The fastest variant that this engine runs. */
export function fastestVariant(): Variant {
  return variants.find(runs) ?? 'scalar';
}

/**
 * @param bytes initial size of the memory.
 * @param variant the kernels to use; left out, the fastest that run here.
 * @throws RangeError where the memory cannot be allocated.
 */
export function kernelInstance(bytes: number, variant: Variant = fastestVariant()): KernelInstance {
  const module = variant === 'scalar' ? null : moduleOf(variant);
  if (variant !== 'scalar' && module === null) throw new Error(`this engine does not run ${variant} kernels`);
  return module === null ? plain(bytes) : assembled(module, variant, bytes);
}

function plain(bytes: number): KernelInstance {
  let buffer = new ArrayBuffer(bytes);
  const kernels = scalarKernels(() => buffer);
  return {
    variant: 'scalar',
    kernels,
    get buffer() {
      return buffer;
    },
    reserve(wanted) {
      if (wanted > buffer.byteLength) buffer = buffer.transfer(wanted);
    },
  };
}

function assembled(module: WasmModule, variant: Variant, bytes: number): KernelInstance {
  const WebAssembly = engine.WebAssembly as NonNullable<typeof engine.WebAssembly>;
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE) });
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return {
    variant,
    kernels: exports as unknown as Kernels,
    get buffer() {
      return memory.buffer;
    },
    reserve(wanted) {
      const missing = wanted - memory.buffer.byteLength;
      if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
    },
  };
}
