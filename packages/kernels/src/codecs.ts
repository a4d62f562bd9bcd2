/**
 * Codecs of float32 numbers. docs/protocol.md defines the bytes. Encoded bytes may lie at any address. Streams of random
 * bits are named by a seed and read by index.
 */
export interface CodecKernels {
  /** n float32 values → float16, to the nearest, ties to even; overflow becomes ±65504. */
  encodeFloat16(n: number, x: number, out: number): void;
  /** n float16 values → float32, exactly. */
  decodeFloat16(n: number, from: number, to: number): void;
  /**
   * n finite float32 values → blocks of a float32 scale and up to 1024 whole numbers from −127 to 127, rounded up or
   * down at random so that the mean is right: value i by number `first` + i of the seed's stream.
   */
  encodeInt8(n: number, x: number, seed: number, first: number, out: number): void;
  /** The same, rounded to the nearest, ties to even. */
  encodeInt8Nearest(n: number, x: number, out: number): void;
  /** n values of such blocks → float32: whole number · scale, rounded to float32. */
  decodeInt8(n: number, from: number, to: number): void;
  /**
   * n finite float32 values → blocks of a float32 scale and 4 bits a value, the lower half of a byte first. A block is
   * rotated (twice random signs, then Hadamard), and each coordinate becomes the nearest level of the normal
   * distribution. The scale makes the inverse right on average (EDEN: Vargaftik et al., ICML 2022). Changes x, and the
   * memory behind it up to the next multiple of 4096 values.
   *
   * @param first index of the first value in the whole vector, a multiple of 4096.
   */
  encodeInt4(n: number, x: number, seed: number, first: number, out: number): void;
  /**
   * n values of such blocks → float32: level · scale, rounded; twice Hadamard, then signs. Also writes the padding:
   * room up to the next multiple of 4096 values is needed behind `to`.
   *
   * @param first index of the first value in the whole vector, a multiple of 4096.
   */
  decodeInt4(n: number, seed: number, first: number, from: number, to: number): void;
}
