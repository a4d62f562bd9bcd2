/** The part of jsfive 0.4.2, which has no types of its own, that is used here. */
declare module 'jsfive' {
  export class Group {
    readonly keys: string[];
    readonly attrs: { readonly [name: string]: unknown };
    /** @throws a string where there is none of that name, or the file is damaged. */
    get(path: string): Group | Dataset | null;
  }
  export class File extends Group {
    constructor(bytes: ArrayBuffer, name?: string);
  }
  export class Dataset {
    readonly shape: number[];
    readonly dtype: unknown;
    /** Row-major. */
    readonly value: unknown[];
    readonly _dataobjects: { readonly chunks: unknown };
  }
}
