/*
 * The little of WebAssembly that this room uses. Every engine has it, but it is typed with the DOM and with
 * Node only, and pure rooms, which import this one as it stands, see neither.
 */
export interface WasmModule {
  readonly wasmModule: never;
}

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

interface Engine {
  /** Missing where the engine has none. */
  readonly WebAssembly?: {
    readonly Module: new (bytes: Uint8Array) => WasmModule;
    readonly Instance: new (
      module: WasmModule,
      imports: { readonly env: { readonly memory: WasmMemory } },
    ) => { readonly exports: unknown };
    readonly Memory: new (size: { initial: number }) => WasmMemory;
    validate(bytes: Uint8Array): boolean;
  };
  atob(text: string): string;
}

export const engine = globalThis as unknown as Engine;
