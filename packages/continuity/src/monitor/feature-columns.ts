/** The number of columns that a picture's features are watched by. */
export const FEATURE_COLUMNS = 4;

/**
 * The columns of a model's features for one picture: √width times the cosines of the angles between the features and fixed
 * directions of ±1 (random signs keep distances, Achlioptas, J. Comput. Syst. Sci. 2003). Number i of direction k, both
 * from 0, is −1 where bit 31 − (i mod 32) of the hash of word ⌊i / 32⌋ is 1, with the seed k + 1. Features that are all 0
 * have the columns 0.
 *
 * @param features the input of the model's last layer, flat.
 */
export function featureColumns(features: ArrayLike<number>): number[] {
  let squares = 0;
  for (let i = 0; i < features.length; i++) squares += (features[i] as number) ** 2;
  return Array.from({ length: FEATURE_COLUMNS }, (_, k) => {
    let sum = 0;
    let signs = 0;
    for (let i = 0; i < features.length; i++) {
      if ((i & 31) === 0) signs = hash(k + 1, i >>> 5);
      const value = features[i] as number;
      sum += signs & (1 << (31 - (i & 31))) ? -value : value;
    }
    return squares === 0 ? 0 : sum / Math.sqrt(squares);
  });
}

/** As the signs of the codec `int4`: the finalizer of MurmurHash3 over seed + word · 9e3779b9. */
function hash(seed: number, word: number): number {
  let h = (seed + Math.imul(word, 0x9e3779b9)) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
