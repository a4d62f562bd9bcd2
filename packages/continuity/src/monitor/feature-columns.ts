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
  const { length } = features;
  const signs = signsOf(length);
  let [squares, first, second, third, fourth] = [0, 0, 0, 0, 0];
  for (let i = 0, at = 0; i < length; i++, at += FEATURE_COLUMNS) {
    const value = features[i] as number;
    squares += value * value;
    first += (signs[at] as number) * value;
    second += (signs[at + 1] as number) * value;
    third += (signs[at + 2] as number) * value;
    fourth += (signs[at + 3] as number) * value;
  }
  if (squares === 0) return [0, 0, 0, 0];
  const size = Math.sqrt(squares);
  return [first / size, second / size, third / size, fourth / size];
}

let known = new Float64Array(0);

/** The signs of so many features, feature after feature. A model asks for the same ones with each picture: the last are kept. */
function signsOf(length: number): Float64Array {
  const size = length * FEATURE_COLUMNS;
  if (known.length !== size) {
    known = Float64Array.from({ length: size }, (_, at) => {
      const [i, k] = [Math.floor(at / FEATURE_COLUMNS), at % FEATURE_COLUMNS];
      return hash(k + 1, i >>> 5) & (1 << (31 - (i & 31))) ? -1 : 1;
    });
  }
  return known;
}

/** As the signs of the codec `int4`: the finalizer of MurmurHash3 over seed + word · 9e3779b9. */
function hash(seed: number, word: number): number {
  let h = (seed + Math.imul(word, 0x9e3779b9)) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
